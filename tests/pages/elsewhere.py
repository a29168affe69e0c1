"""Commands of pages that are not typed where their page is followed: the tests that run them, or why none does."""

import re

ELSEWHERE: dict[str, dict[str, str]] = {
    "access.md": {
        "flink-masking acl policy.yaml deployment.yaml --principals principals.yaml --dry-run":
            "tests/kafka/test_access.py::test_what_the_command_finds_beside_its_own",
        "flink-masking acl policy.yaml deployment.yaml --principals principals.yaml --apply":
            "tests/kafka/test_access.py::test_the_command_grants_what_is_missing_and_says_so",
    },
    "alerts.md": {"flink run -py jobs/watch.py": "tests/cluster/test_watchers.py::test_no_alert_is_lost"},
    "card-numbers.md": {
        "flink-masking preflight": "tests/pages/test_followed_on_flink.py::test_the_pages_on_kafka_can_be_followed",
        "flink run": "tests/cluster/test_upgrade.py::test_workers_run_from_the_archive",
        "flink-masking unmask": "tests/tools/test_unmask.py::test_every_reversible_field_comes_back",
    },
    "cluster.md": {
        "make package": "tests/cluster/test_upgrade.py::test_workers_run_from_the_archive",
        '"$FLINK"/bin/flink run -d -m localhost:8081 -p 1 -pyclientexec .venv/bin/python -py ':
            "tests/cluster/test_upgrade.py::test_workers_run_from_the_archive",
    },
    "commands.md": {"flink-masking --install-completion": "tests/cli/test_completion.py::test_values_complete_in_bash"},
    "contracts.md": {
        "flink-masking contract": "tests/registry/test_contract_pull.py::test_a_deployment_names_the_registry",
        "flink-masking check": "tests/cli/test_contract.py::test_pull_writes_the_lock_file_and_check_of_the_policy_resolves_it",
    },
    "governance-demo.md": {"": "tests/kafka/test_governance_demo.py::test_the_governance_demonstration_shows_all_that_it_promises"},
    "grants.md": {"flink-masking grant revoke ID": "tests/cli/test_grant.py::test_requested_approved_published_listed_revoked"},
    "leaks.md": {"flink run -py jobs/leak_monitor.py": "tests/cluster/test_watchers.py::test_no_alert_is_lost"},
    "lineage.md": {"flink-masking run": "tests/pages/test_tutorial.py::test_the_tutorial_ends_with_four_views"},
    "monitoring.md": {"flink-masking health": "tests/cluster/test_observing.py::test_health_of_a_running_job"},
    "quarantine.md": {
        "flink-masking quarantine replay deployment.yaml":
            "tests/kafka/test_quarantine_topic.py::test_a_topic_is_shown_counted_and_replayed",
    },
    "report.md": {
        "flink-masking report policy.yaml --deployment":
            "tests/kafka/test_report_topics.py::test_a_sample_of_topics_is_measured_without_a_consumer_group",
    },
    "scan.md": {"flink-masking run": "tests/pages/test_tutorial.py::test_the_tutorial_ends_with_four_views"},
}
"""For each page: what a command begins with, and the test that runs it."""
ON_FLINK = ("cluster.md", "examples.md", "kafka.md", "sql.md")
"""Pages that are followed in `test_followed_on_flink`."""
UNTYPED = {
    "git clone ": "names no address",
    "pip install ": "the package index is not part of the project",
    "make compare": "takes minutes and downloads peers",
    "mvn ": "another program",
    "export HADOOP_CLASSPATH": "for the jars that it fetches",
    "(cd ../flink-masking && make package)": "an installation takes minutes",
    "cp ../flink-masking/dist": "an installation",
    "python3.11 -m venv": "an installation",
    ". .venv/bin/activate": "an installation",
}
"""What commands begin with that no test runs, and why."""


def runs_elsewhere(page: str, command: str) -> bool:
    """Whether another test runs a command of a page."""
    plain = re.sub(r"\s+", " ", command)
    return any(plain.startswith(beginning) for beginning in ELSEWHERE.get(page, ()))
