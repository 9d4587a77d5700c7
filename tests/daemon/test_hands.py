"""Words to a fleet in comments: said once, by people who may push, and answered with what comes of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.daemon.desk import Desk
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_hands import ASKS, PullHands, ReadOnlyError
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.session import ChoiceError, open_library
from reconciler.daemon.settings import Settings
from reconciler.hosts.commands import VERBS, Command, command_of
from reconciler.hosts.model import Author, HostBusyError, Note
from reconciler.plan.hands import NoMeaningError
from reconciler.source.repository import Adopted
from tests.daemon.memory_host import ANN, EVE, ME, MemoryHost
from tests.daemon.office import Office
from tests.plan.house import fleet
from tests.repositories import Company

pytestmark = pytest.mark.slow

LINES = {
    "/reconciler pause web incident 42": ("pause", "web", "incident 42"),
    "/reconciler pause prod/web  a reason  \nand more": ("pause", "prod/web", "a reason"),
    "/reconciler pause web": ("pause", "web", ""),  # it is asked for its reason
    "/reconciler resume web found it": ("resume", "web", "found it"),
    "/reconciler promote web": ("promote", "web", ""),
    "/reconciler promote web now please": None,
    "/reconciler abort web 5xx": ("abort", "web", "5xx"),
    "/reconciler pause": None,
    "/reconciler explain web please": None,
    "/reconciler replan now": None,
    "/reconciler replace i-1 disk": None,
    "please /reconciler pause web x": None,
}


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_a_verb_a_word_and_for_some_a_reason(line: str) -> None:
    note = MemoryHost().says(7, ANN, line)
    found = command_of(note, ME)
    assert (found and (found.verb, found.word, found.text)) == LINES[line]


def commands(office: Office, hand: Callable[[Command], str]) -> Commands:
    return Commands(desk=office.desk, explain=str, hand=hand, since=office.host.now)


def said(office: Office) -> list[str]:
    return [n.body for n in office.host.ours(7) if "fleet plan" not in n.body.lower()]


@pytest.mark.parametrize("verb", sorted(ASKS))
def test_a_word_to_a_fleet_is_said_once_and_answered_once(office: Office, verb: str) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    heard: list[Command] = []

    def hand(command: Command) -> str:
        heard.append(command)
        return f"prod  {command.word} is told"

    reason = " because" if VERBS[verb].text else ""
    office.host.says(7, ANN, f"/reconciler {verb} web{reason}")
    now = commands(office, hand)
    assert [d for _, d in now.look()] == [True]
    assert list(now.look()) == []
    assert [(c.verb, c.word, c.text) for c in heard] == [(verb, "web", reason.strip())]
    assert len(said(office)) == 1
    assert "prod  web is told" in said(office)[0]
    restarted = Desk(
        host=office.host,
        library=office.library,
        plans=office.desk.plans,
        notes=Notes(host=office.host, key=b"secret"),
        rests=office.desk.rests,
        engine="0.1.0",
    )
    again = Commands(desk=restarted, explain=str, hand=hand, since=office.host.now)
    assert list(again.look()) == [], "the answer is the record that it was said"
    assert len(heard) == 1


def test_a_word_counts_on_a_merged_pull_request_too(office: Office) -> None:
    heard: list[Command] = []
    office.host.says(9, ANN, "/reconciler abort web 5xx")
    office.host.says(9, ANN, "/reconciler replan")
    told = list(commands(office, lambda c: str(heard.append(c))).look())
    assert [(c.verb, d) for c, d in told] == [("abort", True)]
    assert len(heard) == 1


def test_who_may_not_push_steers_nothing_and_gets_no_answer(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    office.host.says(7, EVE, "/reconciler abort web 5xx")
    office.host.says(7, ANN, "/reconciler abort web 5xx", edited=True)

    def hand(_: Command) -> str:
        raise AssertionError("nobody may be heard")

    assert [d for _, d in commands(office, hand).look()] == [False]
    assert said(office) == []


def test_what_means_nothing_now_is_answered_with_why(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    office.host.says(7, ANN, "/reconciler promote web")

    def hand(_: Command) -> str:
        raise NoMeaningError("web waits for nobody in prod")

    assert [d for _, d in commands(office, hand).look()] == [False]
    (body,) = said(office)
    assert "web waits for nobody in prod" in body


def test_an_answer_that_is_lost_says_nothing_twice(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    office.host.says(7, ANN, "/reconciler pause web incident")
    heard: list[Command] = []

    def hand(command: Command) -> str:
        heard.append(command)
        return "done"

    now = commands(office, hand)
    office.host.lose_next_reply = True
    with pytest.raises(HostBusyError):
        list(now.look())
    list(now.look())
    assert len(heard) == 1
    assert len(said(office)) == 1


# What the words come to


def command(word: str, text: str = "x", verb: str = "pause") -> Command:
    ann = Author(id=2, login="ann")
    note = Note(id=1, pull=7, author=ann, body="", created=MemoryHost().now, edited=False)
    return Command(verb=verb, word=word, text=text, note=note)


def hands_of(folder: Path, *, read_only: bool = False, target: tuple[str, ...] = ()) -> PullHands:
    company = Company(folder / "git")
    more = (Path(__file__).parents[2] / "desired-state").rglob("*")
    company.commit(
        {
            str(p.relative_to(Path(__file__).parents[2] / "desired-state")): p.read_text()
            for p in more
            if p.is_file()
        }
    )
    settings = Settings(repo=str(company.bare), cache=folder / "cache", read_only=read_only, target=target)
    library = open_library(settings)
    library.repository.fetch(library.repository.head())
    adopted = library.adopt(library.repository.head())
    assert isinstance(adopted, Adopted)
    return PullHands(settings=settings, library=library, adopted=lambda: adopted, wake=lambda _: None)


def test_a_daemon_that_only_reads_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadOnlyError, match="this daemon only reads; say it with the command line"):
        hands_of(tmp_path, read_only=True)(command("checkout"))


def test_a_word_for_a_target_that_is_not_there_or_not_looked_after_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="there is no target mars"):
        hands_of(tmp_path / "a")(command("mars/checkout"))
    with pytest.raises(ChoiceError, match="does not look after prod-tokyo, but after prod-ireland"):
        hands_of(tmp_path / "b", target=("prod-ireland",))(command("prod-tokyo/checkout"))


def test_a_word_without_the_reason_that_it_needs_asks_for_one(tmp_path: Path) -> None:
    with pytest.raises(NoMeaningError, match="a reason is needed"):
        hands_of(tmp_path)(command("prod-ireland/checkout", text=""))
