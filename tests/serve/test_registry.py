"""A server that follows a registry: the alias says what is served, and nothing takes over that nobody vouches for."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.bundle.keys import SigningKey, load_key, new_key, private_path
from interlock.bundle.read import read_verified
from interlock.bundle.sign import sign_bundle
from interlock.bundle.trust import NOBODY, Trust, read_public
from interlock.core.canonical import canonical
from interlock.predict.calibrators import Temperature
from interlock.registry import open_registry


@dataclass
class Workplace:
    """Where bundles are made, signed, pushed and pointed at."""

    folder: Path
    makers: Any
    keys: dict[str, SigningKey]
    trust: Trust

    @property
    def arguments(self) -> list[str]:
        """What tells a server to follow it."""
        return ["--registry", f"{self.folder}/registry", "--store", self.store, "--trust", f"{self.folder}/trust.json"]

    @property
    def store(self) -> str:
        return f"{self.folder}/store.db"

    def registry(self) -> Any:
        return open_registry(self.folder / "registry", store=self.store, actor="ann")

    def made(self, day: int, *, signers: tuple[str, ...] = ("alice", "bob")) -> Path:
        """Return a bundle of a day of January; each is another one."""
        files = self.makers.small_files(calibrator_json=canonical(Temperature(1 + day / 10).to_json()))
        made = self.makers.packed(self.folder / f"b{day}", files, created=f"2026-01-{day:02d}T00:00:00+00:00")
        for signer in signers:
            sign_bundle(made, read_verified(made), self.keys[signer])
        return Path(made)

    def pointed(self, day: int, *, alias: str = "champion", development: bool = False) -> str:
        """Let an alias point at the bundle of a day; return its digest."""
        signers = () if development else ("alice", "bob")
        with self.registry() as registry:
            digest: str = registry.push(self.made(day, signers=signers)).digest
            registry.point(alias, digest, trust=None if development else self.trust, development=development)
        return digest


@pytest.fixture
def place(tmp_path: Path, makers: Any) -> Workplace:
    keys, root = {}, NOBODY
    for name, role in (("alice", "builder"), ("bob", "approver")):
        new_key(tmp_path / "keys", name)
        keys[name] = load_key(private_path(tmp_path / "keys", name), passphrase=str)
        root = root.with_key(read_public(tmp_path / "keys" / f"{name}.key.json"), role)  # type: ignore[arg-type]
    (tmp_path / "trust.json").write_bytes(root.to_bytes())
    return Workplace(tmp_path, makers, keys, root)


def hup(server: Any, result: str, count: int = 1) -> dict[str, Any]:
    """Tell a server to ask again; return what it says of it."""
    server.process.send_signal(signal.SIGHUP)
    found: dict[str, Any] = server.wait_for("activation", count, result=result)
    return found


def serving(server: Any) -> str:
    return str(server.route("yes").json()["bundle_digest"])


def test_the_champion_is_served_and_a_moved_alias_swaps_on_sighup(start: Any, place: Workplace) -> None:
    first = place.pointed(1)
    server = start(*place.arguments, "--workers", "2", bundle=None)
    ready = server.ask("GET", "/readyz").json()
    assert ready["bundle_digest"] == first
    assert (ready["signed"], ready["development"]) == ("approver bob, builder alice", False)

    second = place.pointed(2)
    assert serving(server) == first  # nothing swaps by itself
    assert hup(server, "activated")["bundle"] == second
    assert serving(server) == second
    third = place.pointed(3)
    assert server.ask("POST", "/v1/admin/activate", {}).json()["bundle_digest"] == third


def test_a_replaced_worker_opens_what_answers_not_what_the_alias_points_at_by_then(
    start: Any, place: Workplace
) -> None:
    place.pointed(1)
    server = start(*place.arguments, bundle=None)
    second = place.pointed(2)
    hup(server, "activated")
    place.pointed(3)
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_for("worker", count=2, result="ready")

    assert not server.logged("worker", result="refused")
    assert serving(server) == second


def test_a_revoked_bundle_does_not_take_over_and_ends_no_server_that_has_it(start: Any, place: Workplace) -> None:
    first = place.pointed(1)
    server = start(*place.arguments, bundle=None)
    second = place.pointed(2)
    with place.registry() as registry:
        registry.revoke(second, reason="trained on rows without consent")

    assert "a revoked one" in hup(server, "refused")["why"]
    assert serving(server) == first
    assert server.ask("POST", "/v1/admin/activate", {}).json()["error"]["code"] == "bundle_refused"

    anew = start(*place.arguments, bundle=None, ready=False)
    assert anew.process.wait(60) == 1
    assert "a revoked one" in anew.stderr()


def test_what_is_unsigned_moved_past_the_ledger_or_damaged_does_not_take_over(start: Any, place: Workplace) -> None:
    first = place.pointed(1)
    server = start(*place.arguments, bundle=None)
    with place.registry() as registry:
        unsigned = registry.push(place.made(2, signers=("alice",))).digest
    with sqlite3.connect(place.store) as connection:
        connection.execute("UPDATE aliases SET digest = ? WHERE name = 'champion'", (unsigned,))
    connection.close()
    assert "moved past the ledger" in hup(server, "refused")["why"]

    with sqlite3.connect(place.store) as connection:
        connection.execute("UPDATE aliases SET digest = ? WHERE name = 'champion'", (first,))
    connection.close()
    second = place.pointed(3)
    hup(server, "activated")
    lost = place.trust.without(place.keys["alice"].keyid, reason="laptop lost", at=datetime.now(UTC))
    (place.folder / "trust.json").write_bytes(lost.to_bytes())
    assert "revoked" in hup(server, "refused", 2)["why"]  # by the trust root as it is now
    (place.folder / "trust.json").write_bytes(place.trust.to_bytes())
    shutil.move(place.folder / "registry", place.folder / "away")
    hup(server, "refused", 3)

    assert serving(server) == second


def test_a_directory_serves_what_the_trust_root_vouches_for_or_what_is_said_to_be_for_development(
    start: Any, place: Workplace
) -> None:
    signed, unsigned = place.made(1), place.made(2, signers=())
    trusting = ["--trust", f"{place.folder}/trust.json"]
    vouched = start("--bundle", signed, *trusting, bundle=None)
    trying = start("--bundle", unsigned, bundle=None, INTERLOCK_DEVELOPMENT="true")
    refusals = {
        start("--bundle", unsigned, *said, bundle=None, ready=False): code
        for said, code in (((), 2), (trusting, 1), ([*trusting, "--development"], 2))
    }

    ready = vouched.ask("GET", "/readyz").json()
    assert (ready["signed"], ready["development"]) == ("approver bob, builder alice", False)
    assert trying.ask("GET", "/readyz").json()["development"] is True
    assert (
        vouched.ask("POST", "/v1/admin/activate", {"bundle": str(unsigned)}).json()["error"]["code"] == "bundle_refused"
    )
    assert {refused.process.wait(60): code for refused, code in refusals.items()} == {1: 1, 2: 2}
    assert all("development" in refused.stderr() for refused, code in refusals.items() if code == 2)


def test_a_development_alias_serves_only_where_it_was_said_and_shows(start: Any, place: Workplace) -> None:
    digest = place.pointed(1, alias="shadow", development=True)
    refused = start(*place.arguments, "--alias", "shadow", bundle=None, ready=False)
    assert refused.process.wait(60) == 1
    assert "development" in refused.stderr()

    server = start(*place.arguments, "--alias", "shadow", "--development", bundle=None)
    ready = server.ask("GET", "/readyz").json()
    assert (ready["bundle_digest"], ready["development"]) == (digest, True)


def test_no_caller_leads_past_the_registry_and_an_alias_that_points_nowhere_starts_nothing(
    start: Any, place: Workplace
) -> None:
    first = place.pointed(1)
    server = start(*place.arguments, bundle=None)
    made = place.made(2)
    found = server.ask("POST", "/v1/admin/activate", {"bundle": str(made)})
    assert (found.status, found.json()["error"]["code"]) == (409, "bundle_refused")
    assert serving(server) == first

    nothing = start(*place.arguments, "--alias", "challenger", bundle=None, ready=False)
    assert nothing.process.wait(60) == 2
    assert "points nowhere" in nothing.stderr()


def test_a_link_that_was_moved_and_activated_keeps_workers_replaceable(
    start: Any, tmp_path: Path, tiny: Path, other: Path
) -> None:
    link = tmp_path / "current"
    link.symlink_to(tiny)
    server = start(bundle=link)
    before = serving(server)
    link.unlink()
    link.symlink_to(other)
    after = hup(server, "activated")["bundle"]
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_for("worker", count=2, result="ready")

    assert before != after == serving(server)
    assert not server.logged("worker", result="refused")
