"""Resolvers that a program gives to a connector."""

import asyncio
import socket

import pytest


def fetch(aiohttp, resolver_of, url, **options):
    async def run():
        connector = aiohttp.TCPConnector(resolver=resolver_of(), **options)
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get(url) as response:
                return response.status

    return asyncio.run(run())


class Resolver:
    """One address for every name; and what it was asked."""

    def __init__(self, *addresses):
        self.addresses, self.asked = addresses, []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append((host, family))
        result = {"hostname": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": socket.AI_NUMERICHOST}
        return [{**result, "host": address} for address in self.addresses]

    async def close(self):
        raise AssertionError("it is not the connector's")


def test_one_of_a_program(aiohttp, server):
    resolver = Resolver("127.0.0.1")
    assert fetch(aiohttp, lambda: resolver, f"http://some.test:{server.port}/count") == 200
    assert [host for host, _ in resolver.asked] == ["some.test"]


def test_its_family_is_that_of_the_connector(aiohttp, server):
    resolver = Resolver("127.0.0.1")
    assert fetch(aiohttp, lambda: resolver, f"http://some.test:{server.port}/count", family=socket.AF_INET) == 200
    assert resolver.asked == [("some.test", socket.AF_INET)]


def test_addresses_are_not_asked_for(aiohttp, server):
    resolver = Resolver()
    assert fetch(aiohttp, lambda: resolver, f"http://127.0.0.1:{server.port}/count") == 200
    assert resolver.asked == []


def test_the_next_address_is_tried(aiohttp, server):
    assert fetch(aiohttp, lambda: Resolver("127.0.0.9", "127.0.0.1"), f"http://some.test:{server.port}/count") == 200


def test_what_it_raises_is_a_failure_to_connect(aiohttp):
    class Failing(Resolver):
        async def resolve(self, host, port=0, family=socket.AF_INET):
            raise OSError(None, "not today")

    with pytest.raises(aiohttp.ClientConnectorError):
        fetch(aiohttp, Failing, "http://some.test/")


def test_the_threaded_one(aiohttp, server):
    assert fetch(aiohttp, aiohttp.ThreadedResolver, f"http://localhost:{server.port}/count", family=socket.AF_INET) == 200


def test_the_librarys_own_with_name_servers(server):
    from hc import aiohttp

    names = [server.endpoints["dns"]]
    url = f"http://two.test:{server.port}/count"
    assert fetch(aiohttp, lambda: aiohttp.AsyncResolver(nameservers=names), url) == 200


def test_aiohttps_own_is_taken(server):
    pytest.importorskip("aiohttp")
    import aiohttp as original

    from hc import aiohttp

    assert fetch(aiohttp, original.ThreadedResolver, f"http://localhost:{server.port}/count", family=socket.AF_INET) == 200
