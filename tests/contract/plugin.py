"""Put every exchange of the test run under the contract: a test fails for what its services said. Tests nothing.

Registered by tests/conftest.py. With xdist each worker watches its own, and the counts are added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.watching import BY_VENDOR, Watch, new_watch

_KEY = pytest.StashKey[Watch]()
_OUTPUT = "contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the scripted life of a job, at another service")
    group.addoption("--base-url", metavar="URL", help="The service; its key comes from RFTPLAN_CONTRACT_KEY.")
    group.addoption("--allow-spend", action="store_true", help="Take the steps that start paid work, too.")
    group.addoption("--look-every", type=float, default=30.0, metavar="SECONDS", help="How often a job is looked at.")
    group.addoption("--results", metavar="FILE", help="Keep what each step showed, with the date.")


def pytest_configure(config: pytest.Config) -> None:
    from starlette.applications import Starlette

    config.addinivalue_line("markers", "beyond_vendor(why): what this test does is outside the vendor's description")
    watch = config.stash[_KEY] = new_watch()
    plain = Starlette.__call__

    async def seen(self: Starlette, scope: Any, receive: Any, send: Any) -> None:
        async def app(*args: Any) -> None:
            await plain(self, *args)

        await watch.watched(app)(scope, receive, send)

    Starlette.__call__ = seen  # type: ignore[method-assign]
    config.add_cleanup(lambda: setattr(Starlette, "__call__", plain))


@pytest.fixture
def contract_watch(pytestconfig: pytest.Config) -> Watch:
    """For tests that ask in the middle."""
    return pytestconfig.stash[_KEY]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    watch = item.config.stash[_KEY]
    watch.take()
    yield
    problems = watch.take()
    if item.get_closest_marker("beyond_vendor"):
        problems = [problem for problem in problems if not problem.endswith(BY_VENDOR)]
    if problems:
        pytest.fail("outside the contract (tests/contract):\n" + "\n".join(problems[:20]), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        watch = session.config.stash[_KEY]
        output[_OUTPUT] = [[[*key], count] for key, count in watch.counts.items()], dict(watch.vendor_counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    counts, vendor_counts = getattr(node, "workeroutput", {}).get(_OUTPUT, ((), {}))
    watch = node.config.stash[_KEY]
    watch.counts.update({(name, status): count for (name, status), count in counts})
    watch.vendor_counts.update(vendor_counts)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    watch = config.stash[_KEY]
    if not watch.counts:
        return
    by_operation: Counter[str] = Counter()
    for (name, _), count in watch.counts.items():
        by_operation[name] += count
    total, known = by_operation.total(), len(watch.own.operations)
    theirs = f", {watch.vendor_counts.total()} with the vendor's, too" if watch.vendor else ""
    terminalreporter.write_line(f"contract: {total} exchanges of {len(by_operation)}/{known} operations{theirs}")
    if config.get_verbosity() > 0:
        for name, count in sorted(by_operation.items()):
            statuses = sorted(status for other, status in watch.counts if other == name)
            terminalreporter.write_line(f"  {name} {count}: {', '.join(map(str, statuses))}")
