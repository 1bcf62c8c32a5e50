"""What a second pair of eyes found: lost replies, clones, edits and ends at the wrong moment. None may come back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from rftplan.address import Address
from rftplan.amending.holds import release
from rftplan.changes import Action, Reason
from rftplan.errors import ApiError, RefusedPlanError, RftplanError, UserError
from rftplan.events import Outcome
from tests.faults import Fault, once
from tests.scenarios.test_bad_luck import JOBS, PAID, PaidService, with_fault
from tests.world import SPEC, Clock, Small, rows

S = "specs/main.yaml"


JOB = Address("job", "review")
DEP = Address("deployment", "reviewer")


def reset(small):
    small.wrap = lambda inner: inner


def job_states(small):
    return sorted(str(j.status) for j in small.jobs())


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.ERROR_AFTER])
def test_lost_pause_reply_can_be_resumed(small, fault):
    small.launch_until_step()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    with_fault(small, once("POST", f"{JOBS}/{jid}/pause", fault))
    small.apply()
    reset(small)
    small.clock.time += 10
    small.apply()
    small.edit(S, "run: paused", "run: running")
    c = small.changes()["job.review"]
    assert (c.action, c.verb) == (Action.UPDATE, "resume"), (c.action, c.reason, c.detail)


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.ERROR_AFTER])
def test_lost_cancel_reply_is_our_cancel(small, fault):
    small.launch_until_step()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: cancelled\n    model: o4-mini")
    with_fault(small, once("POST", f"{JOBS}/{jid}/cancel", fault))
    small.apply()
    reset(small)
    small.apply()
    small.edit(S, "run: cancelled", "run: running")
    c = small.changes()["job.review"]
    assert c.reason is Reason.AFTER_OUR_CANCEL, (c.action, c.reason, c.detail)


def test_lost_cancel_of_superseded_then_revert(small):
    small.launch_until_step()
    jid = small.jobs()[0].id
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    with_fault(small, once("POST", f"{JOBS}/{jid}/cancel", Fault.LOST_AFTER))
    small.apply()
    reset(small)
    small.train()
    small.edit(S, "n_epochs: 3", "n_epochs: 2")
    c = small.changes()["job.review"]
    assert c.reason is Reason.AFTER_OUR_CANCEL, (c.action, c.reason, c.detail)


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.ERROR_BEFORE, Fault.NOT_CONNECTED])
def test_replaced_attempt_is_cancelled_by_the_next_apply(small, fault):
    small.launch_until_step()
    jid = small.jobs()[0].id
    with_fault(small, once("POST", f"{JOBS}/{jid}/cancel", fault))
    small.apply(replace=frozenset({JOB}))
    reset(small)
    small.apply()
    active = [j for j in small.jobs() if not j.status.ended]
    assert len(active) == 1, [(j.id, j.status) for j in small.jobs()]


def test_reverting_an_edit_stops_what_runs_for_the_edit(small):
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.launch_until_step()
    small.edit(S, "n_epochs: 3", "n_epochs: 2")
    small.apply()
    small.apply()
    active = [j for j in small.jobs() if not j.status.ended]
    assert not active


@pytest.mark.parametrize("run", ["paused", "cancelled"])
def test_lost_lock_still_stops_the_job(small, run):
    small.launch_until_step()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan/default")
    small.edit(S, "    model: o4-mini", f"    run: {run}\n    model: o4-mini")
    for _ in range(3):
        small.apply()
    assert small.jobs()[0].status in ("pausing", "paused", "cancelled"), (
        small.jobs()[0].status,
        small.changes()["job.review"],
    )


def test_first_apply_beside_another_first_apply(small):
    def meanwhile(_):
        with ThreadPoolExecutor(1) as e:
            e.submit(lambda: Small(small.root, clock=small.clock).apply(wait=True)).result()
        return True

    with contextlib.suppress(RefusedPlanError):
        small.apply(consent=meanwhile)
    assert len(small.jobs()) == 1, [(j.id, j.status) for j in small.jobs()]


def clones(tmp_path, spec=SPEC):
    clock = Clock()
    service = PaidService(tmp_path / "remote", clock)
    env = {"OPENAI_API_KEY": "sk-test"}
    a = Small.at(tmp_path / "a", PAID, clock=clock, environ=env, wrap=service.transport)
    b = Small.at(tmp_path / "b", PAID, clock=clock, environ=env, wrap=service.transport)
    import itertools

    b.ids = itertools.count(1000)
    return a, b, service


def test_a_copy_of_the_lock_that_does_not_know_the_newer_launch_asks_a_person_for_the_one_that_does(tmp_path):
    a, b, service = clones(tmp_path)
    a.train()
    shutil.copy(a.root / "rftplan.lock", b.root / "rftplan.lock")
    a.apply(replace=frozenset({JOB}))
    told = b.results(replace=frozenset({JOB}))["job.review"]
    newer = a.lock().resources[JOB].id
    assert len(a.jobs()) == 2
    service.close()
    assert (told.outcome, told.id) == (Outcome.HELD, newer)
    assert "another copy of the lock made it; bring that copy here (git pull)" in told.detail


@pytest.mark.parametrize("shared_lock", [True, False])
def test_another_clone_trained_while_the_prompt_was_open(tmp_path, shared_lock):
    a, b, service = clones(tmp_path)
    if shared_lock:
        a.train()
        shutil.copy(a.root / "rftplan.lock", b.root / "rftplan.lock")
        for x in (a, b):
            x.edit(S, "n_epochs: 2", "n_epochs: 3")
    n = len(a.jobs())

    def meanwhile(_):
        with ThreadPoolExecutor(1) as e:
            e.submit(lambda: b.apply(wait=True)).result()
        return True

    with contextlib.suppress(RftplanError):
        a.apply(consent=meanwhile)
    jobs = a.jobs()
    service.close()
    assert len(jobs) == n + 1, [(j.id, str(j.status), j.metadata["rftplan_launch"][-3:]) for j in jobs]


def test_retry_does_not_exceed_attempts_with_a_stale_lock(tmp_path):
    a, b, service = clones(tmp_path)
    a.launch_until_step()
    a.service(lambda p: p.cancel_job(a.lock().resources[JOB].id))
    a.apply(wait=True)  # records cancelled
    shutil.copy(a.root / "rftplan.lock", b.root / "rftplan.lock")
    for x in (a, b):
        x.edit(S, "    model: o4-mini", "    retry: {attempts: 2}\n    model: o4-mini")
    a.apply(wait=True)
    with contextlib.suppress(RftplanError):
        b.apply(wait=True)
    jobs = a.jobs()
    service.close()
    assert len(jobs) == 2, [(j.id, str(j.status), j.metadata["rftplan_launch"][-3:]) for j in jobs]


def test_a_glitch_when_a_job_ended_does_not_end_the_apply(small):
    small.apply()
    jid = small.jobs()[0].id
    state = {"ended": False, "n": 0}

    class T:
        def __init__(self, inner):
            self.inner = inner

        async def handle_async_request(self, r):
            if r.method == "GET" and r.url.path == f"{JOBS}/{jid}":
                resp = await self.inner.handle_async_request(r)
                body = json.loads(await resp.aread())
                if body["status"] == "succeeded":
                    state["n"] += 1
                    if 1 < state["n"] < 6:
                        import httpx2

                        return httpx2.Response(
                            503, json={"error": {"message": "busy", "type": "server_error", "code": None}}
                        )
                import httpx2

                return httpx2.Response(200, json=body)
            return await self.inner.handle_async_request(r)

        async def __aenter__(self):
            return self

        async def __aexit__(self, *a):
            return None

        async def aclose(self):
            await self.inner.aclose()

    small.wrap = T
    r = small.results(wait=True)
    assert r["deployment.reviewer"].outcome is Outcome.DONE


def test_rebuilt_lock_is_held_for_follow_ups_too(small):
    small.train()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.launch_until_step()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan/default")
    small.changes()
    r = small.results(wait=True)
    assert r["deployment.reviewer"].outcome is not Outcome.DONE


def test_two_waiting_applies_promote_once(small):
    small.launch_until_step()
    done = {"n": 0}
    orig = small.clock.sleep
    other = Small(small.root, clock=Clock(small.clock.time + 600))

    async def sleep(s):
        if not done["n"]:
            done["n"] = 1
            with ThreadPoolExecutor(1) as e:
                e.submit(lambda: other.apply(wait=True)).result()
            small.clock.time += 600
        await orig(s)

    small.clock.sleep = sleep
    small.plan()
    small.results(wait=True)
    assert len(small.lock().resources[DEP].history) == 1


def test_release_on_a_lost_lock_does_not_orphan_the_jobs(small):
    small.train()
    (small.root / "rftplan.lock").unlink()
    shutil.rmtree(small.root / ".rftplan/default")
    assert small.changes()["deployment.reviewer"].reason is Reason.LOCK_REBUILT
    with contextlib.suppress(UserError):
        asyncio.run(release(small.options, DEP, world=small.world))
    c = small.changes()["job.review"]
    assert c.action is Action.ADOPT, (c.action, c.reason, c.detail)


def test_looks_moved_also_for_a_second_attempt(small):
    small.launch_until_step()
    small.service(lambda p: p.cancel_job(small.lock().resources[JOB].id))
    small.apply(replace=frozenset({JOB}))
    small.train()
    small.edit(S, "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit(S, "    job: review", "    job: renamed")
    c = small.changes()["job.renamed"]
    assert c.reason is Reason.LOOKS_MOVED, (c.action, c.verb, c.reason)


def test_a_file_that_changed_its_size_leaves_no_open_intent(tmp_path):
    a, _b, service = clones(tmp_path)

    def edit(_):
        a.write("specs/data/train.jsonl", rows(13))
        return True

    a.results(consent=edit)
    c = a.changes()
    service.close()
    assert c["file.train"].action is Action.CREATE, (c["file.train"].action, c["file.train"].reason)
    assert c["job.review"].action is Action.CREATE


def test_foreign_lineage_is_not_cancelled(tmp_path):
    a, b, service = clones(tmp_path)
    b.write(S, PAID[: PAID.index("jobs:")])
    b.write(S, b.root.joinpath(S).read_text())
    b.apply()  # its own lineage and lock, no jobs
    a.launch_until_step()
    b.write(S, PAID.replace("n_epochs: 2", "n_epochs: 3"))
    c = b.changes()["job.review"]
    service.close()
    assert c.action is Action.HOLD, (c.action, c.verb, c.reason, c.hazards)


def test_own_job_missing_in_list_after_create(tmp_path):
    a, b, service = clones(tmp_path)
    b.train() if False else None

    class Stale:
        """B's list lacks B's own newest job."""

        def __init__(self, inner):
            self.inner, self.mine = service.transport(inner), set()

        async def handle_async_request(self, r):
            import httpx2

            resp = await self.inner.handle_async_request(r)
            if r.method == "POST" and r.url.path == JOBS:
                body = json.loads(await resp.aread())
                self.mine.add(body["id"])
                return httpx2.Response(200, json=body)
            if r.method == "GET" and r.url.path == JOBS:
                body = json.loads(await resp.aread())
                body["data"] = [j for j in body["data"] if j["id"] not in self.mine]
                return httpx2.Response(200, json=body)
            return resp

        async def __aenter__(self):
            return self

        async def __aexit__(self, *x):
            return None

        async def aclose(self):
            await self.inner.aclose()

    b.wrap = Stale

    def meanwhile(_):
        with ThreadPoolExecutor(1) as e:
            e.submit(lambda: a.apply()).result()
        a.clock.time += 1
        return True

    with contextlib.suppress(RftplanError):
        b.apply(consent=meanwhile)
    b.wrap = service.transport
    jobs = a.jobs()
    service.close()
    assert len([j for j in jobs if not j.status.ended]) == 1, [(j.id, str(j.status)) for j in jobs]


def test_empty_page_that_says_more():
    from rftplan.api.paging import every

    async def fetch(limit, after):
        return [], True

    with pytest.raises(ApiError):
        asyncio.run(every(fetch, size=10, most=None, what="list the jobs"))


def test_a_move_with_an_open_intent_keeps_the_entry(small):
    small.launch_until_step()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    with_fault(small, once("POST", f"{JOBS}/{jid}/pause", Fault.LOST_AFTER))
    small.apply()
    reset(small)
    small.clock.time += 10
    small.apply()
    small.edit(S, "jobs:\n  review:", "jobs:\n  renamed:")
    small.edit(S, "    job: review", "    job: renamed")
    small.edit(S, "jobs:", "moved:\n  - {from: job.review, to: job.renamed}\njobs:")
    small.apply()
    assert Address("job", "renamed") in small.lock().resources, small.lock().resources.keys()


def test_no_intent_stays_open_for_ever(small):
    small.launch_until_step()
    jid = small.jobs()[0].id
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    with_fault(small, once("POST", f"{JOBS}/{jid}/pause", Fault.LOST_AFTER))
    small.apply()
    reset(small)
    small.clock.time += 10
    small.apply()
    small.apply()
    text = (small.root / ".rftplan/default/journal.jsonl").read_text()
    assert '"intent"' not in text, text


def granting(small, projects):
    small.edit(S, "    checkpoint: best", f"    projects: {projects}\n    checkpoint: best")


def with_lost_permission(small, method, fault):
    """The first request that changes who may use a model has the fault."""
    seen = []

    def plan(m, path, _):
        if m == method and "/permissions" in path and not seen:
            seen.append(path)
            return fault
        return None

    with_fault(small, plan)


def open_intents(small):
    return '"intent"' in (small.root / ".rftplan/default/journal.jsonl").read_text()


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.ERROR_AFTER, Fault.LOST_BEFORE])
def test_a_grant_whose_reply_was_lost_is_ours_and_revoked_when_the_deployment_goes(small, fault):
    granting(small, "[proj_a, proj_b]")
    with_lost_permission(small, "POST", fault)
    assert small.results(wait=True)["deployment.reviewer"].outcome is Outcome.DEFERRED
    reset(small)
    small.train()
    entry = small.lock().resources[DEP]
    assert set(entry.resolved["permissions"][entry.id]) == {"proj_a", "proj_b"}
    assert not open_intents(small)
    small.apply(destroy=True)
    assert small.service(lambda port: port.list_permissions(entry.id)) == []


def test_a_grant_whose_reply_was_lost_is_revoked_when_its_deployment_left_the_spec(small):
    granting(small, "[proj_a]")
    with_lost_permission(small, "POST", Fault.LOST_AFTER)
    small.apply(wait=True)
    reset(small)
    job = small.jobs()[0].id
    models = [point.model for point in small.service(lambda port: port.list_checkpoints(job))]
    text = (small.root / S).read_text()
    small.write(S, text[: text.index("deployments:")])
    small.apply()
    for model in models:
        assert small.service(lambda port, model=model: port.list_permissions(model)) == []
    assert not open_intents(small)
    assert DEP not in small.lock().resources


def test_a_grant_to_what_is_live_whose_reply_was_lost_is_recorded_by_the_next_apply(small):
    small.train()
    granting(small, "[proj_a]")
    with_lost_permission(small, "POST", Fault.LOST_AFTER)
    small.apply()
    assert small.changes()["deployment.reviewer"].action is Action.NOOP
    reset(small)
    small.apply()
    entry = small.lock().resources[DEP]
    assert set(entry.resolved["permissions"][entry.id]) == {"proj_a"}
    assert not open_intents(small)


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
@pytest.mark.parametrize("again", [False, True])
def test_a_revocation_whose_reply_was_lost_is_settled_by_the_next_apply(small, fault, again):
    granting(small, "[proj_a, proj_b]")
    small.train()
    small.edit(S, "[proj_a, proj_b]", "[proj_a]")
    with_lost_permission(small, "DELETE", fault)
    small.apply()
    reset(small)
    if again:
        small.edit(S, "[proj_a]", "[proj_a, proj_b]")
    small.apply()
    entry = small.lock().resources[DEP]
    wanted = {"proj_a", "proj_b"} if again else {"proj_a"}
    assert set(entry.resolved["permissions"][entry.id]) == wanted
    assert {p.project_id for p in small.service(lambda port: port.list_permissions(entry.id))} == wanted
    assert not open_intents(small)
    assert small.verbs() == {}


def lists_fail_once_sent(small, path, *, lost=None):
    """From the first POST to `path` on its lists fail; `lost` befalls the POST itself."""
    sent = []

    def plan(method, at, _):
        if at != path:
            return None
        if method == "POST":
            sent.append(at)
            return lost if len(sent) == 1 else None
        return Fault.REFUSED if sent else None

    with_fault(small, plan)


@pytest.mark.parametrize("lost", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.ERROR_AFTER])
@pytest.mark.parametrize("path", [JOBS, "/v1/files"])
def test_where_nobody_can_look_after_a_lost_reply_its_fate_is_unknown(small, path, lost):
    lists_fail_once_sent(small, path, lost=lost)
    told = small.results()
    lost_one = (
        told["job.review"] if path == JOBS else min(told["file.train"], told["file.test"], key=lambda r: r.outcome)
    )
    assert lost_one.outcome is Outcome.DEFERRED
    assert "fate unknown" in lost_one.detail
    reset(small)
    small.train()
    assert (len(small.jobs()), len(small.files())) == (1, 2)


def test_a_launch_whose_place_cannot_be_looked_at_afterwards_is_told_as_launched(small):
    lists_fail_once_sent(small, JOBS)
    told = small.results()["job.review"]
    assert (told.outcome, told.id) == (Outcome.DEFERRED, small.lock().resources[JOB].id)
    assert "was launched" in told.detail
    reset(small)
    small.train()
    assert len(small.jobs()) == 1


def test_a_look_that_fails_before_the_launch_says_that_nothing_was_launched(small):
    lists = []

    def plan(method, path, _):
        if (method, path) == ("GET", JOBS):
            lists.append(path)
            return Fault.REFUSED if len(lists) > 1 else None
        return None

    with_fault(small, plan)
    told = small.results()["job.review"]
    assert told.outcome is Outcome.FAILED
    assert "nothing was launched" in told.error
    reset(small)
    assert small.jobs() == []
    assert not open_intents(small)
    small.train()


def test_a_refused_cancel_of_what_was_replaced_does_not_hide_the_launch(small):
    small.launch_until_step()
    old = small.jobs()[0].id
    with_fault(small, once("POST", f"{JOBS}/{old}/cancel", Fault.REFUSED))
    told = small.results(replace=frozenset({JOB}))["job.review"]
    assert told.outcome is Outcome.FAILED
    assert told.id == small.lock().resources[JOB].id != old
    assert f"{told.id} was launched" in told.error


def test_every_old_job_is_paused_by_one_apply(small):
    small.launch_until_step()
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    with_fault(small, lambda _, path, n: Fault.ERROR_BEFORE if path.endswith("/cancel") else None)
    small.apply()
    reset(small)
    for _ in range(30):
        if "step" in small.status()["job.review"].detail:
            break
        small.clock.time += 0.1
    assert job_states(small) == ["running", "running"]
    small.edit(S, "n_epochs: 3", "n_epochs: 4")
    small.edit(S, "    model: o4-mini", "    run: paused\n    model: o4-mini")
    small.apply()
    assert set(job_states(small)) <= {"pausing", "paused"}


def test_a_reverted_edit_is_no_lost_lock(small):
    small.launch_until_step()
    small.clock.time += 600
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    small.edit(S, "at_least: 0.1", "at_least: 0.1}\n      - {metric: valid_reward_mean, at_most: 1.0")
    small.apply()
    small.edit(S, "n_epochs: 3", "n_epochs: 2")
    assert small.changes()["job.review"].action is Action.ADOPT
    small.train()
    assert small.lock().resources[DEP].id


def test_a_deployment_that_may_not_be_replaced_is_not_replaced_by_waiting_either(small):
    small.edit(S, "    checkpoint: best", "    lifecycle: {prevent_replace: true}\n    checkpoint: best")
    small.train()
    live = small.lock().resources[DEP].id
    small.edit(S, "n_epochs: 2", "n_epochs: 3")
    assert small.plan().hazards() == ()
    told = small.results(wait=True)["deployment.reviewer"]
    assert told.outcome is Outcome.HELD
    assert "prevent_replace" in told.detail
    assert small.lock().resources[DEP].id == live
    assert small.changes()["deployment.reviewer"].reason is Reason.PREVENTED


def test_what_was_promoted_while_we_waited_is_not_replaced_by_a_plan_that_did_not_know_it(small):
    small.launch_until_step()
    done = []
    sleep = small.clock.sleep

    async def sleeping(seconds):
        if not done:
            done.append(seconds)
            text = (small.root / S).read_text()
            small.edit(S, "checkpoint: best", "checkpoint: final")
            small.edit(S, "at_least: 0.1", "at_least: 0.0")
            other = Small(small.root, clock=Clock(small.clock.time + 600))
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: other.apply(wait=True)).result()
            small.write(S, text)
            small.clock.time += 600
        await sleep(seconds)

    small.clock.sleep = sleeping
    small.apply(wait=True)
    assert len(small.lock().resources[DEP].history) == 1
