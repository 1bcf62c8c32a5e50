"""References: unknown ones, cycles, order, and identities worked out on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from rftplan.address import Address
from rftplan.canonical import JsonObject
from rftplan.changes import Change
from rftplan.config import Config, read_config
from rftplan.data import DataFacts
from rftplan.events import Result
from rftplan.graph import Graph, KnownRows, build_graph, read_references
from rftplan.kinds import KINDS
from rftplan.kinds.base import Act, Kind, Ref, Resource, Situation
from rftplan.kinds.spec import Name, SpecModel
from rftplan.kinds.standing import Standing
from rftplan.source import Root
from tests.findings import edited, found_in, lines_of
from tests.world import SPEC, Small

M = "specs/main.yaml"


def read(small: Small, spec: str = SPEC) -> Config:
    small.write(M, spec)
    config, found = read_config(Root(small.root), "specs")
    assert found == []
    return config


def graph_of(config: Config, facts: Mapping[Address, DataFacts | KnownRows]) -> Graph:
    return build_graph(config, read_references(config), facts)


REFERENCES = [
    (
        ("training_file: train", "training_file: trian"),
        f'S207 {M}:14:20 training_file points to "file.trian", which is not declared | did you mean "train"?',
    ),
    (
        ("validation_file: test", "validation_file: nothing"),
        f'S207 {M}:15:22 validation_file points to "file.nothing", which is not declared | declare it under files:',
    ),
    (
        ("grader: match", "grader: mach"),
        f'S207 {M}:19:17 method.reinforcement.grader points to "grader.mach", which is not declared '
        '| did you mean "match"?',
    ),
    (
        ("job: review", "job: reviewer"),
        f'S207 {M}:23:10 job points to "job.reviewer", which is not declared | did you mean "review"?',
    ),
]


@pytest.mark.parametrize(("edit", "expected"), REFERENCES, ids=[edit[1] for edit, _ in REFERENCES])
def test_an_unknown_reference_names_the_closest_of_its_kind(small: Small, edit: tuple[str, str], expected: str) -> None:
    assert found_in(small, edited(edit)) == [expected]


def test_a_reference_to_something_that_could_not_be_read_is_not_unknown(small: Small) -> None:
    found = found_in(small, edited(("operation: eq", "operation: neq")))
    assert [line[:4] for line in found] == ["S204"]


def test_a_raw_id_refers_to_nothing(small: Small) -> None:
    assert found_in(small, edited(("training_file: train", "training_file: {id: file-abc}"))) == []


FACTS = {
    Address("file", name): DataFacts(sha256=digit * 64, size=10, rows=1, rows_digest=digit * 64)
    for name, digit in (("train", "a"), ("test", "b"))
}


def test_what_is_referred_to_comes_first_and_names_break_ties(small: Small) -> None:
    graph = graph_of(read(small), FACTS)
    assert [str(address) for address in graph.order] == [
        "file.test",
        "file.train",
        "grader.match",
        "job.review",
        "deployment.reviewer",
    ]


def test_the_order_of_the_text_changes_nothing(small: Small) -> None:
    first = graph_of(read(small), FACTS)
    files, rest = SPEC.partition("graders:")[::2]
    graders, rest = rest.partition("jobs:")[::2]
    jobs, deployments = rest.partition("deployments:")[::2]
    turned = f"deployments:{deployments}jobs:{jobs}graders:{graders}{files}"
    second = graph_of(read(small, turned), FACTS)
    assert second.order == first.order
    assert {a: r.fingerprint for a, r in second.resources.items()} == {
        a: r.fingerprint for a, r in first.resources.items()
    }


def test_a_file_that_is_absent_has_the_identity_that_the_lock_knows(small: Small) -> None:
    config = read(small)
    train = Address("file", "train")
    known = KnownRows("a" * 64, "a" * 64)
    graph = graph_of(config, {**FACTS, train: known})
    here = graph_of(config, FACTS)
    assert graph.resources[train].data is None
    assert {r.fingerprint for r in graph.resources.values()} == {r.fingerprint for r in here.resources.values()}


class LinkSpec(SpecModel):
    to: Name


class Link(Kind[LinkSpec]):
    """A kind whose things refer to each other: the language has none yet, and model references will be one."""

    name = "link"
    section = "links"

    def __init__(self) -> None:
        super().__init__(LinkSpec)

    def refs(self, spec: LinkSpec) -> Sequence[Ref]:
        return (Ref(("to",), Address("link", spec.to)),)

    def identity(self, spec: LinkSpec, upstream: Mapping[Address, Resource]) -> JsonObject:
        return {}

    def decide(self, situation: Situation) -> Change:
        raise AssertionError("a cycle is never planned")

    def standing(self, situation: Situation) -> Standing:
        raise AssertionError("a cycle is never planned")

    async def perform(self, change: Change, act: Act) -> Result:
        raise AssertionError("a cycle is never planned")


@pytest.fixture
def links() -> Iterator[None]:
    KINDS["link"] = Link()
    yield
    del KINDS["link"]


@pytest.mark.usefixtures("links")
def test_a_cycle_is_named_in_full_at_its_first_address(small: Small) -> None:
    spec = SPEC + "links:\n  c: {to: a}\n  b: {to: c}\n  a: {to: b}\n  free: {to: a}\n"
    assert found_in(small, spec) == [
        f"S208 {M}:30:3 link.a → link.b → link.c → link.a | take one of these references out"
    ]


@pytest.mark.usefixtures("links")
def test_a_thing_that_refers_to_itself_is_a_cycle(small: Small) -> None:
    small.write(M, SPEC + "links: {a: {to: a}}\n")
    config, _ = read_config(Root(small.root), "specs")
    found = lines_of(read_references(config).findings)
    assert found == [f"S208 {M}:27:9 link.a → link.a | take one of these references out"]
