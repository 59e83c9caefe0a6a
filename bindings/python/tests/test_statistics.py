"""What is counted, and can be read: statistics, histograms, origins, Prometheus' text, and attempts."""

import math

import pytest
from conftest import passes, python

import hc
from hc import _ffi


@pytest.fixture
def session(url):
    with hc.Session(timeout=hc.Timeout(total=30)) as session:
        for size in (1, 2, 3):
            session.get_sync(f"{url}/bytes/{size}")
        with pytest.raises(hc.errors.ConnectError):
            session.get_sync("http://127.0.0.1:1/")
        yield session


def test_stats_and_origins_agree(session, url):
    stats, origins = session.stats(), session.origins()
    assert (stats["submitted"], stats["succeeded"], stats["failed"]) == (4, 3, 1)
    ours = next(origin for origin in origins if origin.origin == url)
    assert (ours.submitted, ours.succeeded, ours.connections_made, ours.connections_reused) == (3, 3, 1, 2)
    other = next(origin for origin in origins if origin.origin == "http://127.0.0.1:1")
    assert (other.submitted, other.failed, other.sockets) == (1, 1, 0)
    assert len(origins) == 2 and 0 < ours.total_ns < 30e9


def test_an_origin_has_every_field_of_the_c_interface():
    fields = [name for name, *_ in _ffi.hc_origin_stats._fields_ if name not in ("struct_size", "reserved")]
    assert list(hc.Origin._fields) == fields


def test_histograms(session):
    histograms = session.histograms()
    assert set(histograms) == {"waiting", "connect", "first_byte", "total"}
    for histogram in histograms.values():
        bounds = [bound for bound, _ in histogram.buckets]
        assert len(bounds) == _ffi.HC_HISTOGRAM_BUCKETS and bounds == sorted(bounds) and bounds[-1] == math.inf
        assert sum(count for _, count in histogram.buckets) == histogram.count
    assert histograms["total"].count == 4 and 0 < histograms["total"].sum < 30
    assert histograms["connect"].count == 1


def test_prometheus_of_one_session_and_of_several(session):
    assert "hc_requests_total" in hc.metrics_prometheus(session)
    with hc.Session() as other:
        text = hc.metrics_prometheus({"a": session, "b\"": other})
    assert 'session="a"' in text and 'session="b\\""' in text
    with pytest.raises(hc.errors.InvalidError):
        hc.metrics_prometheus({})


def test_a_closed_session_still_tells(session):
    session.close_sync()
    assert session.origins() and session.histograms()["total"].count == 4 and hc.metrics_prometheus(session)


def test_in_a_forked_child_they_say_so(url):
    code = """
        import os, hc
        session = hc.Session()
        if os.fork() == 0:
            for ask in (session.stats, session.histograms, session.origins, lambda: hc.metrics_prometheus(session)):
                try:
                    ask()
                except hc.errors.ForkedError:
                    continue
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.wait()[1]))
        session.close_sync()
    """
    assert passes(python(code)) == "0\n"


def test_attempts(session, url):
    port = int(url.rpartition(":")[2])
    with hc.Session() as fresh:
        response = fresh.get_sync(f"http://two.places:{port}/bytes/1", addresses=["127.0.0.2", "127.0.0.1"], timeout=30)
        assert response.attempts == 2
        first, second = response.attempt(0), response.attempt(1)
    assert (first.code, first.address, first.port) == (_ffi.HC_E_CONNECT, "127.0.0.2", port) and first.message
    assert (second.code, second.address, second.hop, second.reused) == (_ffi.HC_OK, "127.0.0.1", 0, False)
    assert second.connection == response.connection and second.timing.connected >= second.timing.started
    again = session.get_sync(url + "/bytes/1")
    assert again.attempts == 1 and again.attempt(0).reused
    with pytest.raises(hc.errors.InvalidError):
        again.attempt(1)
