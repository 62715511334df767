"""The registry: what is kept is verified, what is named is never removed, and what is active was vouched for."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.bundle import layout
from interlock.bundle.keys import SigningKey
from interlock.bundle.manifest import make_manifest, parse_manifest
from interlock.bundle.read import Verified, read_verified
from interlock.bundle.shelf import LocalShelf, Shelf, open_shelf
from interlock.bundle.sign import sign_bundle
from interlock.bundle.trust import Trust
from interlock.core.canonical import canonical
from interlock.core.errors import InputError, MissingExtraError, RefusedError
from interlock.core.ledger import Deed, breaks
from interlock.core.receipt import Receipt
from interlock.core.registry import ALIASES, Basis, State
from interlock.predict.calibrators import Temperature
from interlock.registry import Registry
from interlock.store.engine import open_store, transaction
from interlock.store.registry import StoredRecords
from interlock.testing import FrozenClock

Files = dict[str, bytes]
NUMBERS = itertools.count()


@pytest.fixture(params=["folder", "url"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return open_shelf(tmp_path / "registry")
    pytest.importorskip("fsspec")
    return open_shelf(f"memory://registry{next(NUMBERS)}")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[StoredRecords]:
    engine = open_store(tmp_path / "store.db")
    yield StoredRecords(engine)
    engine.dispose()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 6, 1, tzinfo=UTC))


@pytest.fixture
def registry(shelf: Shelf, records: StoredRecords, clock: FrozenClock) -> Registry:
    return Registry(shelf, records, "ann", clock)


@pytest.fixture
def local(tmp_path: Path, records: StoredRecords, clock: FrozenClock) -> Registry:
    return Registry(open_shelf(tmp_path / "registry"), records, "ann", clock)


@pytest.fixture
def make(
    make_files: Callable[..., Files], pack_files: Callable[..., Path], keys: dict[str, SigningKey], tmp_path: Path
) -> Callable[..., Path]:
    """Make signed bundles: one a temperature, made on one day of January."""

    def made(temperature: float, *, day: int = 1, sign: tuple[str, ...] = ("alice", "bob"), name: str = "tiny") -> Path:
        files = make_files(calibrator_json=canonical(Temperature(temperature).to_json()))
        folder = pack_files(
            tmp_path / f"b{next(NUMBERS)}", files, name=name, created=f"2026-01-{day:02d}T00:00:00+00:00"
        )
        for signer in sign:
            sign_bundle(folder, read_verified(folder), keys[signer])
        return Path(folder)

    return made


def test_a_bundle_comes_back_byte_for_byte(
    registry: Registry, make: Callable[..., Path], trust: Trust, tmp_path: Path
) -> None:
    folder = make(1.5)
    pushed = registry.push(folder, trust=trust)
    registry.push(folder)  # and again
    pulled = registry.pull(pushed.digest, tmp_path / "out", trust=trust)

    assert pulled.digest == pushed.digest
    assert read_verified(tmp_path / "out") == read_verified(folder)
    assert registry.bundles() == {pushed.digest: State.THERE}


def test_signatures_pushed_apart_are_joined(
    registry: Registry, make: Callable[..., Path], keys: dict[str, SigningKey], trust: Trust, tmp_path: Path
) -> None:
    one, two = make(1.5, sign=("alice",)), make(1.5, sign=("bob",))
    digest = registry.push(one).digest
    assert registry.push(two).digest == digest

    registry.pull(digest, tmp_path / "out", trust=trust)  # both roles


def test_what_does_not_verify_is_not_kept(registry: Registry, make: Callable[..., Path]) -> None:
    folder = make(1.5)
    (folder / "card.md").write_bytes(b"another")

    with pytest.raises(RefusedError, match=r"card\.md"):
        registry.push(folder)
    assert registry.bundles() == {}


def test_a_bundle_changed_in_the_registry_is_refused_by_its_file(
    local: Registry, make: Callable[..., Path], tmp_path: Path
) -> None:
    digest = local.push(make(1.5)).digest
    assert isinstance(local.shelf, LocalShelf)
    (local.shelf.path(digest) / "model.onnx").write_bytes(b"other weights")

    with pytest.raises(RefusedError, match=r"model\.onnx"):
        local.pull(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_push_ends_well_only_when_what_was_kept_verifies(
    local: Registry, make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put = LocalShelf.put

    def careless(self: LocalShelf, verified: Verified) -> None:
        put(self, verified)
        (self.path(verified.digest) / "card.md").write_bytes(b"another")

    monkeypatch.setattr(LocalShelf, "put", careless)
    with pytest.raises(RefusedError, match=r"card\.md"):
        local.push(make(1.5))
    assert set(local.bundles().values()) == {State.ARRIVING}


def test_another_whole_bundle_under_a_digest_is_refused(
    local: Registry, make: Callable[..., Path], tmp_path: Path
) -> None:
    one, two = local.push(make(1.5)).digest, local.push(make(1.6)).digest
    assert isinstance(local.shelf, LocalShelf)
    shutil.rmtree(local.shelf.path(one))
    local.shelf.path(two).rename(local.shelf.path(one))

    with pytest.raises(RefusedError, match="another bundle"):
        local.pull(one, tmp_path / "out")


@pytest.mark.parametrize("bad", ["", "sha256:", "sha256:../../etc", f"sha256:{'A' * 64}", f"md5:{'0' * 64}", "x"])
def test_only_digests_become_paths(registry: Registry, bad: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no digest"):
        registry.pull(bad, tmp_path / "out")


def test_what_is_not_there_is_an_input_error(registry: Registry, tmp_path: Path) -> None:
    for name in (f"sha256:{'0' * 64}", "champion"):
        with pytest.raises(InputError):
            registry.pull(name, tmp_path / "out")


def test_a_registry_belongs_to_one_store(
    shelf: Shelf, registry: Registry, make: Callable[..., Path], clock: FrozenClock, tmp_path: Path
) -> None:
    registry.push(make(1.5))
    engine = open_store(tmp_path / "other.db")
    other = Registry(shelf, StoredRecords(engine), "bob", clock)

    with pytest.raises(RefusedError, match="another store"):
        other.push(make(1.6))
    with pytest.raises(RefusedError, match="another store"):
        other.gc()
    engine.dispose()


def test_gc_removes_what_nothing_names_and_nothing_else(
    registry: Registry, make: Callable[..., Path], trust: Trust, tmp_path: Path
) -> None:
    named, noted, loose = (registry.push(make(t)).digest for t in (1.5, 1.6, 1.7))
    registry.point("shadow", named, trust=trust)
    registry.records.append(Deed.of("attested: review", noted, actor="ann"), at=registry.clock.now())

    assert registry.gc() == [loose]
    assert registry.gc() == []
    assert set(registry.bundles()) == {named, noted}
    with pytest.raises(InputError, match="no such bundle"):
        registry.pull(loose, tmp_path / "out")
    registry.pull(named, tmp_path / "in")


def test_a_bundle_that_only_its_receipt_s_attempt_names_is_kept(
    registry: Registry,
    make_files: Callable[..., Files],
    pack_files: Callable[..., Path],
    trust: Trust,
    tmp_path: Path,
) -> None:
    held = make_files(contract_yaml=make_files()[layout.CONTRACT].replace(b"0.5}", b"0.99}"))
    digest = registry.push(pack_files(tmp_path / "held", held)).digest
    receipt = receipt_of(registry.shelf.fetch(digest))
    registry.records.append(Deed.of("verdict", receipt, actor="ann", note="hold"), at=registry.clock.now())

    assert registry.gc() == []
    assert not any(digest in str(entry.to_json()) for entry in registry.records.entries())


def test_a_bundle_whose_receipt_nobody_noted_is_kept_until_it_is_pushed_again(
    registry: Registry, make: Callable[..., Path], records: StoredRecords
) -> None:
    from sqlalchemy import text

    folder = make(1.5)
    digest = registry.push(folder).digest
    with transaction(records._engine, writes=True) as connection:  # as a store of an older release
        connection.execute(text("UPDATE bundles SET receipt = NULL"))

    assert registry.gc() == []
    registry.push(folder)
    assert registry.gc() == [digest]


def test_a_bundle_with_a_receipt_that_does_not_read_is_not_kept(
    registry: Registry, make_files: Callable[..., Files], pack_files: Callable[..., Path], tmp_path: Path
) -> None:
    folder = pack_files(tmp_path / "bad", make_files(receipt_json=b'{"receipt": 1}'))

    with pytest.raises(RefusedError, match=r"receipt\.json does not read"):
        registry.push(folder)
    assert registry.bundles() == {}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["push", "champion", "challenger", "shadow", "attest", "evidence", "receipt", "gc", "half"]),
        st.integers(0, 3),
    ),
    max_size=14,
)


def receipt_of(bundle: Verified) -> str:
    return Receipt.from_bytes(bundle.files[layout.RECEIPT], where="r")[0].digest


def step_of(registry: Registry, step: str, bundle: Verified) -> None:
    """Do one thing to a registry."""
    records, now = registry.records, registry.clock.now()
    if step in {"push", "half"}:
        records.arriving(bundle.digest, at=now)
    if step == "push":
        registry.shelf.put(bundle)
        records.there(bundle.digest, receipt=receipt_of(bundle), at=now)
    elif step == "gc":
        registry.gc()
    elif step == "attest":
        records.append(Deed.of("attested: x", bundle.digest, actor="a"), at=now)
    elif step == "evidence":
        evidence = {"bundle": bundle.digest}
        records.append(Deed.of("verdict", "sha256:receipt", actor="a", evidence=evidence), at=now)
    elif step == "receipt":  # as the gate enters it, which knows no bundle
        records.append(Deed.of("attempt", receipt_of(bundle), actor="a"), at=now)
    elif step in ALIASES:
        registry.point(step, bundle.digest, trust=None, development=True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_what_is_named_stays(
    steps: list[tuple[str, int]], make_files: Callable[..., Files], tmp_path_factory: pytest.TempPathFactory
) -> None:
    files, folder, named = make_files(), tmp_path_factory.mktemp("law"), set()
    evidence = Receipt.from_bytes(files[layout.RECEIPT], where="r")[0]
    bundles = []
    for n in range(4):
        mine = {**files, layout.RECEIPT: evidence.model_copy(update={"name": f"tiny{n}"}).to_bytes()}
        manifest = make_manifest(mine, name="tiny", created=f"2026-01-0{n + 1}T00:00:00+00:00", identity={})
        bundles.append(Verified(manifest, manifest.to_bytes(), mine))
    engine = open_store(folder / "s.db")
    registry = Registry(open_shelf(folder / "registry"), StoredRecords(engine), "ann", FrozenClock())
    for step, which in steps:
        before = registry.bundles()
        with suppress(InputError, RefusedError):
            step_of(registry, step, bundles[which])
            if step in {*ALIASES, "attest", "evidence", "receipt"}:
                named.add(bundles[which].digest)
        after = registry.bundles()
        assert named & set(before) <= set(after)
        for digest in after:
            if after[digest] is State.THERE:
                registry.shelf.fetch(digest)  # what is said to be there is whole
        assert {alias.digest for alias in registry.records.aliases().values()} <= set(after)
    engine.dispose()


def test_a_push_that_died_is_removed_after_a_day(registry: Registry, clock: FrozenClock) -> None:
    dead = f"sha256:{'1' * 64}"
    registry.records.arriving(dead, at=clock.now())

    assert registry.gc() == []
    clock.move(timedelta(days=1, seconds=1).total_seconds())
    assert registry.gc() == [dead]
    with pytest.raises(RefusedError, match="push again"):
        registry.records.there(dead, receipt="sha256:r", at=clock.now())


def test_a_removal_that_died_is_finished_and_holds_pushes_off(
    registry: Registry, make: Callable[..., Path], clock: FrozenClock
) -> None:
    folder = make(1.5)
    digest = registry.push(folder).digest
    registry.records.condemn(stale=clock.now())  # and then nothing

    with pytest.raises(RefusedError, match="after the next gc"):
        registry.push(folder)
    with pytest.raises(RefusedError):
        registry.point("shadow", digest, trust=None, development=True)
    assert registry.gc() == [digest]
    assert registry.push(folder).digest == digest


def test_a_removal_that_died_ends_although_something_named_the_bundle_since(
    registry: Registry, make: Callable[..., Path], clock: FrozenClock
) -> None:
    folder = make(1.5)
    digest = registry.push(folder).digest
    registry.records.condemn(stale=clock.now())
    registry.records.append(Deed.of("attested: x", digest, actor="a"), at=clock.now())

    assert registry.gc() == [digest]
    registry.push(folder)
    assert registry.gc() == []


def test_pushes_and_removals_at_once_leave_only_whole_bundles(local: Registry, make: Callable[..., Path]) -> None:
    folders = [make(1 + n / 10) for n in range(3)]
    stop = threading.Event()

    def collect() -> int:
        rounds = 0
        while not stop.is_set():
            local.gc()
            rounds += 1
            stop.wait(0.01)
        return rounds

    def push(n: int) -> bool:
        try:
            digest = local.push(folders[n % 3]).digest
            local.point("shadow", digest, trust=None, development=True)
        except (InputError, RefusedError):
            return False
        return local.shelf.fetch(digest).digest == digest

    with ThreadPoolExecutor(4) as pool:
        collecting = pool.submit(collect)
        try:
            done = list(pool.map(push, range(18)))
        finally:
            stop.set()
        assert collecting.result() > 0
    assert set(done) <= {True, False}
    assert push(0)  # with nobody else there
    for digest, state in local.bundles().items():
        if state is State.THERE:
            local.shelf.fetch(digest)
    assert breaks(local.records.entries()) == []


def test_moves_at_once_happen_one_after_the_other(
    local: Registry, make: Callable[..., Path], records: StoredRecords
) -> None:
    digests = [local.push(make(1 + n / 10)).digest for n in range(4)]

    def move(digest: str) -> bool:
        try:
            local.point("shadow", digest, trust=None, development=True)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(move, digests))
    moves = [entry for entry in records.entries() if entry.deed.action == "alias shadow"]

    assert len(moves) == done == records.aliases()["shadow"].epoch
    assert records.aliases()["shadow"].digest == moves[-1].deed.subject


def test_an_alias_needs_signatures_and_a_verdict(registry: Registry, make: Callable[..., Path], trust: Trust) -> None:
    unsigned, signed = registry.push(make(1.5, sign=())).digest, registry.push(make(1.6)).digest

    with pytest.raises(InputError, match="trust root"):
        registry.point("shadow", signed, trust=None)
    with pytest.raises(RefusedError, match="not signed"):
        registry.point("shadow", unsigned, trust=trust)
    alias, entry = registry.point("shadow", signed, trust=trust)
    assert entry is not None
    assert (alias.basis, entry.deed.subject, entry.deed.action) == (Basis.VERDICT, signed, "alias shadow")
    assert registry.point("shadow", signed, trust=trust) == (alias, None)


def test_a_bundle_on_hold_or_with_another_s_receipt_gets_no_alias(
    registry: Registry,
    make_files: Callable[..., Files],
    pack_files: Callable[..., Path],
    keys: dict[str, SigningKey],
    trust: Trust,
    tmp_path: Path,
) -> None:
    good = make_files()
    honest = Receipt.from_bytes(good[layout.RECEIPT], where="r")[0]
    assert honest.logits is not None
    bad = honest.model_copy(update={"logits": type(honest.logits).of(-honest.logits.array)})
    held = {**good, layout.RECEIPT: bad.to_bytes()}
    other = make_files(calibrator_json=canonical(Temperature(2.5).to_json()), receipt_json=good[layout.RECEIPT])
    for name, files, said in (("held", held, "on hold"), ("other", other, "calibrator_digest")):
        folder = pack_files(tmp_path / name, files)
        for signer in ("alice", "bob"):
            sign_bundle(folder, read_verified(folder), keys[signer])
        with pytest.raises(RefusedError, match=said):
            registry.point("champion", registry.push(folder).digest, trust=trust)


def test_development_serves_only_where_it_is_asked_for(
    registry: Registry, make: Callable[..., Path], trust: Trust
) -> None:
    digest = registry.push(make(1.5, sign=())).digest
    registry.point("champion", digest, trust=None, development=True)

    with pytest.raises(RefusedError, match="may not serve"):
        registry.active(trust=trust)
    assert registry.active(trust=trust, development=True).bundle.digest == digest


def test_what_does_not_repeat_its_golden_messages_is_not_pointed_at_even_for_development(
    registry: Registry, make: Callable[..., Path]
) -> None:
    folder = make(1.5, sign=())
    (folder / layout.CALIBRATOR).write_bytes(canonical(Temperature(9.5).to_json()))
    said = parse_manifest((folder / layout.MANIFEST).read_bytes(), where="manifest")
    files = {name: (folder / name).read_bytes() for name in said.files}
    listed = make_manifest(files, name=said.name, created=said.created, identity=said.identity)
    (folder / layout.MANIFEST).write_bytes(listed.to_bytes())
    broken = read_verified(folder)
    registry.shelf.put(broken)

    with pytest.raises(RefusedError, match="golden"):
        registry.point("shadow", broken.digest, trust=None, development=True)
    assert registry.records.aliases() == {}


def test_development_takes_no_champion_s_place(registry: Registry, make: Callable[..., Path], trust: Trust) -> None:
    registry.point("champion", registry.push(make(1.5)).digest, trust=trust)

    with pytest.raises(RefusedError, match="takes its place"):
        registry.point("champion", registry.push(make(1.6, day=2)).digest, trust=None, development=True)


def test_the_active_bundle_is_the_champion_s_and_still_verified(
    registry: Registry, make: Callable[..., Path], trust: Trust, keys: dict[str, SigningKey], clock: FrozenClock
) -> None:
    digest = registry.push(make(1.5)).digest
    registry.point("champion", digest, trust=trust)

    active = registry.active(trust=trust)
    assert (active.alias.digest, active.bundle.digest) == (digest, digest)
    assert active.bundle.decide("yes sure").label == "yes"
    with pytest.raises(RefusedError, match="revoked"):
        registry.active(trust=trust.without(keys["alice"].keyid, reason="lost", at=clock.now()))


def test_an_alias_moved_past_the_ledger_does_not_serve(
    registry: Registry, make: Callable[..., Path], trust: Trust, records: StoredRecords
) -> None:
    from sqlalchemy import text

    one, two = registry.push(make(1.5)).digest, registry.push(make(1.6)).digest
    registry.point("champion", one, trust=trust)
    with transaction(records._engine, writes=True) as connection:
        connection.execute(text("UPDATE aliases SET digest = :digest"), {"digest": two})

    with pytest.raises(RefusedError, match="past the ledger"):
        registry.active(trust=trust)


def test_a_url_without_fsspec_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)

    with pytest.raises(MissingExtraError, match="remote"):
        open_shelf("memory://x")
