"""What docker-compose.yml, the Dockerfile and nginx's file promise, read from the files themselves."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("web", "web2", "worker", "beat", "migrate")
NGINX = (ROOT / "deploy/nginx.conf").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_services_are_those_of_a_whole_platform():
    assert set(SERVICES) == {"proxy", "web", "web2", "worker", "beat", "migrate", "database", "broker"}
    assert SERVICES["database"]["image"] == "postgres:18"
    assert all(service.get("command") for service in SERVICES.values())


def test_only_the_proxy_is_reached_from_outside():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"proxy": ["80:8080", "443:8443"]}
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name in ("database", "broker", "migrate", "beat"):
        assert list(SERVICES[name]["networks"]) == ["back"]


def test_every_secret_is_a_file_and_is_given_to_whoever_needs_it_only():
    declared = COMPOSE["secrets"]
    assert declared == {name: {"file": f"./secrets/{name}"} for name in declared}
    for name, service in SERVICES.items():
        assert set(service.get("secrets", [])) <= set(declared), name
        wanted = {
            value.removeprefix("/run/secrets/")
            for value in map(str, service.get("environment", {}).values())
            if value.startswith("/run/secrets/")
        }
        if name != "proxy":
            assert wanted == set(service.get("secrets", [])), name
    owners = {name for name in SERVICES if "database_owner_url" in SERVICES[name].get("secrets", [])}
    assert owners == {"migrate"}
    assert {name for name in SERVICES if "tls_key" in SERVICES[name].get("secrets", [])} == {"proxy"}


def test_no_secret_is_written_in_the_file():
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|KEY|TOKEN|DATABASE_.*URL|DATABASE_URL", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/"), (name, variable)


def test_every_lasting_service_has_a_health_check_limits_and_a_restart():
    for name, service in SERVICES.items():
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service), name
        if name != "migrate":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


@pytest.mark.parametrize("name", [*OURS, "proxy"])
def test_programs_of_ours_run_on_a_read_only_system_without_capabilities(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [place.partition(":")[0] for place in service["tmpfs"]] == ["/tmp"]  # noqa: S108  of the container


def test_nothing_begins_before_the_migrations_and_there_is_one_clock():
    for name in ("web", "web2", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert [name for name in SERVICES if "beat" in SERVICES[name]["command"]] == ["beat"]


def option(service: str, name: str) -> str:
    return next(
        word.partition("=")[2] for word in SERVICES[service]["command"] if word.startswith(f"--{name}=")
    )


def test_both_sites_run_the_same_and_stop_later_than_their_last_request():
    assert SERVICES["web"]["command"] == SERVICES["web2"]["command"]
    grace = SERVICES["web"]["stop_grace_period"].rstrip("s")
    assert int(grace) > int(option("web", "workers-kill-timeout"))


def test_a_worker_that_fails_or_grows_is_replaced_and_its_connections_are_handed_on():
    for web in ("web", "web2"):
        assert "--respawn-failed-workers" in SERVICES[web]["command"]
        assert SERVICES[web]["sysctls"] == {"net.ipv4.tcp_migrate_req": "1"}
        both = int(option(web, "workers")) * int(option(web, "workers-max-rss"))
        assert both < int(SERVICES[web]["mem_limit"].rstrip("m"))


def test_the_image_serves_as_the_services_do():
    command = json.loads(DOCKERFILE.rpartition("\nCMD ")[2])
    assert set(command) <= set(SERVICES["web"]["command"])


def test_the_addresses_of_the_proxy_and_of_the_sites_agree():
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert SERVICES["web"]["environment"]["CREDISENSE_TRUSTED_PROXIES"] == address
    upstream = re.findall(r"server (\w+):8000 max_fails=0;", NGINX)
    assert upstream == ["web", "web2"]


def test_a_name_of_a_header_with_an_underscore_goes_no_further_than_nginx():
    """The site sees one name for X_Forwarded_For and X-Forwarded-For."""
    assert "underscores_in_headers off;" in NGINX
    assert "ignore_invalid_headers on;" in NGINX


def test_nginx_logs_no_query_and_tells_no_version():
    log = NGINX.split("log_format")[1].split("access_log")[0]
    assert "$uri" in log
    assert not re.search(r"\$request\b(?!_)|\$request_uri|\$args|\$query_string|\$http_referer", log)
    assert "error_log /dev/stderr crit;" in NGINX
    assert "server_tokens off;" in NGINX
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in NGINX


def test_a_post_is_never_sent_twice():
    assert "proxy_next_upstream error timeout;" in NGINX
    assert "non_idempotent" not in NGINX.replace("A POST that was sent is never sent twice", "")


def test_the_image_is_slim_layered_and_not_run_by_root():
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(stages) >= 3
    assert set(stages) <= {"python:3.13-slim", "base"}
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER credisense" in last
    assert "\nHEALTHCHECK " in last
    assert "libpango" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    assert DOCKERFILE.index("config.stack catalogues") < DOCKERFILE.index("collectstatic")
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "secrets", "var"} <= set(ignored)


def test_the_secrets_are_made_once_and_are_all_but_the_certificate(tmp_path):
    folder = tmp_path / "secrets"
    command = [sys.executable, str(ROOT / "deploy/make_secrets.py"), str(folder)]
    first = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    again = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert set(first) == set(COMPOSE["secrets"]) - {"tls_certificate", "tls_key"}
    assert again == "Nothing was missing.\n"
    assert {path.name: path.read_text() for path in folder.iterdir()} == kept
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept["app_password"] in kept["database_url"]
    assert len(set(kept.values())) == len(kept)
