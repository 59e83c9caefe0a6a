"""What mypy must accept, and on the marked lines refuse. Not run."""

import pathlib

import hc


async def main() -> None:
    async with hc.Session(limit=3, timeout=hc.Timeout(total=1.5), headers={"a": "b"}) as session:
        response = await session.get("http://x/", timeout=1, headers=[("a", "b"), (b"c", None)])
        text: str = response.text
        body: bytes = response.body
        first: str = response.headers["x"]
        when: float = response.timing.done or 0.0
        async with session.post("http://x/", body=body, params={"a": 1}) as other:
            status: int = other.status
        print(text, first, when, status, session.stats()["submitted"])
        tls = hc.TLS(ca_pem=response.certificates[0], pins=["ab"], certificate_file=pathlib.Path("x"))
        await session.get("http://x/", tls=tls, certificates="der")
        hc.Session(tls=tls, proxy_tls=tls)
        await session.get("http://x/", timeouts=1)  # wrong
        await session.get("http://x/", tls=True)  # wrong
        hc.TLS(verify="no")  # wrong
        await session.get(7)  # wrong
    session.get("http://x/").status  # wrong
    hc.Session(limit="3")  # wrong


def blocking() -> hc.Response:
    with hc.Session() as session:
        try:
            return session.get_sync("http://x/")
        except hc.errors.TimeoutError as error:
            clock: "str | None" = error.clock
            print(clock, error.phase_seconds)
            raise
