"""How thorough the rig is, and the table of what it has tried."""

import collections
import pathlib

import pytest


@pytest.fixture
def some(request):
    """some(name, count): the messages to disturb of so many, fewer where that is `slow`; which ones differs from one name to the next."""
    every = request.config.getoption("--every")

    def choose(name, count, slow=1):
        step = min(every * slow, count)
        chosen = range(sum(name.encode()) % step, count, step)
        request.node.user_properties.append(("cases", (name, len(chosen))))
        return chosen

    return choose


def pytest_terminal_summary(terminalreporter):
    """Cases that survived, by what was disturbed and how."""
    table = collections.defaultdict(lambda: collections.defaultdict(int))
    others = collections.Counter()
    for report in terminalreporter.stats.get("passed", []):
        cases = [value for name, value in report.user_properties if name == "cases"]
        if report.when == "call" and not cases:
            others[pathlib.Path(report.location[0]).stem.removeprefix("test_").replace("_", " ")] += 1
        for (fault, scenario), count in ((tuple(name.split(": ")), count) for name, count in cases):
            table[fault][scenario] += count
    if not table:
        return
    scenarios = sorted({scenario for row in table.values() for scenario in row})
    terminalreporter.section("cases survived, by fault and scenario")
    width = max(len(scenario) for scenario in scenarios) + 2
    terminalreporter.line(f"{'':26}" + "".join(f"{scenario:>{width}}" for scenario in scenarios))
    for fault in sorted(table):
        terminalreporter.line(f"{fault:26}" + "".join(f"{table[fault].get(scenario, 0) or '':>{width}}" for scenario in scenarios))
    total = sum(count for row in table.values() for count in row.values())
    terminalreporter.line(f"{'disturbed messages':26}{total:>{width}}")
    for name in sorted(others):
        terminalreporter.line(f"{name:26}{others[name]:>{width}}")
