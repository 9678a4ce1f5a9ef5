"""Alerts that promtool has seen fire and stay quiet, a dashboard of metrics that exist."""

import json
import re

import pytest
import yaml
from helm import CHART, ROOT, the
from project import ABOUT, VERSION
from value_sets import DATABASE, merged

OURS = set(re.findall(r'\{ "(tidelock_\w+)"', (ROOT / "entrypoint" / "report" / "metrics.c").read_text()))
SERIES = 'namespace="ns", pod="app-1", app="app-tidelock", database="shop", schema="public"'


@pytest.fixture
def rules(helm, tmp_path):
    documents = helm.template(merged(DATABASE, {"prometheusRule": {"enabled": True, "slowAfterSeconds": 1800}}))
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(the(documents, "PrometheusRule")["spec"]))
    return path


def expressions():
    """Of the dashboard, its variables filled in."""
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def test_only_metrics_that_exist():
    text = (CHART / "files" / "alerts.yaml").read_text()
    text += "".join(expression for _, expression in expressions())
    used = set(re.findall(r"\btidelock_\w+", text))
    assert used and used <= OURS


def test_every_alert_has_its_part_in_the_manual(rules):
    headings = re.findall(r"(?m)^### (.*)$", (ROOT / "cmd" / "tidelock" / "README.md").read_text())
    for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]:
        assert rule["annotations"]["runbook_url"] == f"{ABOUT['project']}/blob/v{VERSION}/cmd/tidelock/README.md#{rule['alert'].lower()}"
        assert headings.count(rule["alert"]) == 1


def test_check_rules(promtool, rules):
    assert "SUCCESS: 8 rules found" in promtool("check", "rules", rules).stdout


def test_the_dashboard_asks_what_prometheus_understands(promtool, tmp_path):
    filled = [{"record": f"panel:{number}", "expr": re.sub(r"\$\w+", ".*", expression)} for number, (_, expression) in enumerate(expressions())]
    path = tmp_path / "dashboard.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": filled}]}))
    promtool("check", "rules", path)


def test_the_dashboard_is_whole():
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) and {variable["name"] for variable in dashboard["templating"]["list"]} == {"datasource", "namespace", "pod"}
    shown = "".join(expression for _, expression in expressions())
    for metric in ["ready", "phase", "migrations", "blocked_sessions", "server_connections", "retries_total", "current_migration_info"]:
        assert f"tidelock_{metric}" in shown


# alert: (series, when it has not fired yet and when it has, in minutes), and what must never fire beside it.
FIRING = {
    "TidelockMigrationFailed": ({f'tidelock_phase{{{SERIES}, phase="failed"}}': "0 0 1x20", f'tidelock_migrations{{{SERIES}, state="failed"}}': "0x30"}, 1, 3),
    "TidelockJobFailed": ({'kube_job_failed{namespace="ns", job_name="app-tidelock-mbadcafe", condition="true"}': "0 0 1x20"}, 1, 3),
    "TidelockMigrationStalled": ({f'tidelock_phase{{{SERIES}, phase="applying"}}': "1x20", f"tidelock_status_update_timestamp_seconds{{{SERIES}}}": "60 120 120x20"}, 2, 6),
    "TidelockMigrationSlow": ({f"tidelock_current_migration_start_timestamp_seconds{{{SERIES}}}": "60x60"}, 34, 38),
    "TidelockBlocksTraffic": ({f"tidelock_blocked_sessions{{{SERIES}}}": "0 0 3x20"}, 1, 4),
    "TidelockNoLeader": ({f'tidelock_phase{{{SERIES}, phase="waiting_leader"}}': "1x20", f"tidelock_leader{{{SERIES}}}": "0x20"}, 3, 8),
    "TidelockNoConnectionBudget": ({f'tidelock_phase{{{SERIES}, phase="waiting_budget"}}': "1x20"}, 1, 4),
    "TidelockHistoryDrift": ({f'tidelock_migrations{{{SERIES}, state="edited"}}': "2x20"}, 3, 8),
}

# Series of a healthy run, and of an ended one: nothing may fire at any time.
QUIET = {
    "applies and is done": {
        f'tidelock_phase{{{SERIES}, phase="applying"}}': "1x10 0x60",
        f'tidelock_phase{{{SERIES}, phase="complete"}}': "0x10 1x60",
        f'tidelock_phase{{{SERIES}, phase="failed"}}': "0x70",
        f"tidelock_status_update_timestamp_seconds{{{SERIES}}}": "0+60x10 600x60",
        f"tidelock_current_migration_start_timestamp_seconds{{{SERIES}}}": "0x9 stale",
        f'tidelock_migrations{{{SERIES}, state="failed"}}': "0x70",
        f'tidelock_migrations{{{SERIES}, state="missing"}}': "5x70",
        f"tidelock_blocked_sessions{{{SERIES}}}": "0x70",
        f"tidelock_leader{{{SERIES}}}": "1x70",
    },
    "one leads, others wait": {
        f'tidelock_phase{{{SERIES}, phase="waiting_leader"}}': "1x70",
        'tidelock_leader{namespace="ns", pod="app-2", app="app-tidelock"}': "1x70",
    },
    "another namespace fails": {
        'tidelock_phase{namespace="other", pod="app-1", phase="failed"}': "1x70",
        'kube_job_failed{namespace="ns", job_name="other-job", condition="true"}': "1x70",
    },
    "another release of the namespace fails, and Jobs whose names begin with ours": {
        'tidelock_phase{namespace="ns", pod="app-1", app="other-tidelock", phase="failed"}': "1x70",
        **{f'kube_job_failed{{namespace="ns", job_name="app-tidelock{rest}", condition="true"}}': "1x70" for rest in ["-nightly-report-28999", "-29412345", "s", "-eu"]},
    },
}


def check(promtool, rules, tmp_path, series, expectations):
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {"expr": f'count(ALERTS{{alertname=~"{name}", alertstate="firing"}}) or vector(0)', "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": count}]}
                    for name, minute, count in expectations
                ],
            }
        ],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(test))
    promtool("test", "rules", path)


@pytest.mark.parametrize("alert", FIRING)
def test_it_fires_and_alone(promtool, rules, tmp_path, alert):
    series, quiet, firing = FIRING[alert]
    check(promtool, rules, tmp_path, series, [(alert, quiet, 0), (alert, firing, 1), (".*", firing, 1)])


@pytest.mark.parametrize("name", QUIET)
def test_nothing_fires(promtool, rules, tmp_path, name):
    check(promtool, rules, tmp_path, QUIET[name], [(".*", minute, 0) for minute in [1, 5, 12, 40, 65]])


def test_every_alert_has_been_seen_to_fire(rules):
    named = {rule["alert"] for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]}
    assert named == set(FIRING)
    for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"} and rule["annotations"]["summary"] and rule["annotations"]["description"]
