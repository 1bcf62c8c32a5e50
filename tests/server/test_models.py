"""Models and the permissions to use them."""

from __future__ import annotations

import openai
import pytest

from .conftest import World, create_job, rft_body

pytestmark = pytest.mark.anyio


async def trained(world: World, sdk: openai.AsyncOpenAI) -> tuple[str, str]:
    """A job that succeeded, and its model."""
    job_id = (await create_job(sdk))["id"]
    world.clock.forward(10)
    job = await sdk.fine_tuning.jobs.retrieve(job_id)
    assert job.fine_tuned_model is not None
    return job_id, job.fine_tuned_model


async def own_models(sdk: openai.AsyncOpenAI) -> list[str]:
    return [model.id async for model in sdk.models.list() if model.id.startswith("ft:")]


async def test_base_models_are_known_by_alias_and_snapshot(sdk: openai.AsyncOpenAI) -> None:
    for name in ("o4-mini", "o4-mini-2025-04-16"):
        model = await sdk.models.retrieve(name)
        assert (model.id, model.owned_by, model.shutdown_date) == (name, "system", None)
    with pytest.raises(openai.NotFoundError) as caught:
        await sdk.models.retrieve("gpt-2")
    assert caught.value.code == "model_not_found"


async def test_a_model_exists_once_its_job_succeeded_and_its_checkpoints_once_they_are_made(
    world: World, sdk: openai.AsyncOpenAI
) -> None:
    job_id = (await create_job(sdk))["id"]
    assert await own_models(sdk) == []
    world.clock.forward(0.8 + 0.5 + 0.6)
    (checkpoint,) = await own_models(sdk)
    assert checkpoint.endswith(":ckpt-step-1")
    world.clock.forward(10)
    model = (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model
    assert model is not None
    assert await own_models(sdk) == [model, f"{model}:ckpt-step-3", f"{model}:ckpt-step-2"]
    for name in await own_models(sdk):
        assert (await sdk.models.retrieve(name)).owned_by == "org-local"
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve(f"{model}:ckpt-step-1")


async def test_a_checkpoint_is_deleted_alone(world: World, sdk: openai.AsyncOpenAI) -> None:
    job_id, model = await trained(world, sdk)
    gone = f"{model}:ckpt-step-3"
    assert (await sdk.models.delete(gone)).model_dump() == {"id": gone, "object": "model", "deleted": True}
    assert await own_models(sdk) == [model, f"{model}:ckpt-step-2"]
    kept = [one.step_number async for one in sdk.fine_tuning.jobs.checkpoints.list(job_id)]
    assert kept == [5, 2]
    for call in (sdk.models.retrieve, sdk.models.delete):
        with pytest.raises(openai.NotFoundError):
            await call(gone)


async def test_a_deleted_model_stays_named_in_its_job(world: World, sdk: openai.AsyncOpenAI) -> None:
    job_id, model = await trained(world, sdk)
    await sdk.models.delete(model)
    assert (await sdk.fine_tuning.jobs.retrieve(job_id)).fine_tuned_model == model
    with pytest.raises(openai.NotFoundError):
        await sdk.models.retrieve(model)


async def test_a_base_model_cannot_be_deleted(sdk: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="not a fine-tuned model"):
        await sdk.models.delete("o4-mini")


async def test_a_fine_tuned_model_can_be_trained_further(world: World, sdk: openai.AsyncOpenAI) -> None:
    _, model = await trained(world, sdk)
    job = await sdk.fine_tuning.jobs.create(**{**await rft_body(sdk), "model": f"{model}:ckpt-step-3"})
    assert job.model == f"{model}:ckpt-step-3"
    world.clock.forward(10)
    second = (await sdk.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model
    assert second is not None and second.startswith("ft:o4-mini-2025-04-16:local:")
    assert second != model


async def test_permissions_are_granted_listed_and_revoked(world: World, sdk: openai.AsyncOpenAI) -> None:
    _, model = await trained(world, sdk)
    permissions = sdk.fine_tuning.checkpoints.permissions
    checkpoint = f"{model}:ckpt-step-3"
    granted = [one async for one in permissions.create(checkpoint, project_ids=["proj_a", "proj_b", "proj_a"])]
    assert [one.project_id for one in granted] == ["proj_a", "proj_b"]
    again = [one async for one in permissions.create(checkpoint, project_ids=["proj_b"])]
    assert [one.id for one in again] == [granted[1].id]

    listed = [one.project_id async for one in permissions.list(checkpoint, limit=1)]
    assert listed == ["proj_b", "proj_a"]
    ascending = [one.project_id async for one in permissions.list(checkpoint, order="ascending")]
    assert ascending == ["proj_a", "proj_b"]
    only = [one.project_id async for one in permissions.list(checkpoint, project_id="proj_a")]
    assert only == ["proj_a"]
    assert [one async for one in permissions.list(model)] == []

    deleted = await permissions.delete(granted[0].id, fine_tuned_model_checkpoint=checkpoint)
    assert deleted.deleted
    assert [one.project_id async for one in permissions.list(checkpoint)] == ["proj_b"]
    with pytest.raises(openai.NotFoundError):
        await permissions.delete(granted[0].id, fine_tuned_model_checkpoint=checkpoint)


async def test_permissions_of_an_unknown_model_are_a_404(sdk: openai.AsyncOpenAI) -> None:
    permissions = sdk.fine_tuning.checkpoints.permissions
    for name in ("ft:o4-mini:local::x:ckpt-step-1", "o4-mini"):
        with pytest.raises(openai.NotFoundError):
            await permissions.list(name)


async def test_projects_must_be_a_list_of_at_most_a_hundred_texts(world: World, sdk: openai.AsyncOpenAI) -> None:
    _, model = await trained(world, sdk)
    for wrong in ("proj_a", [1], [], [f"proj_{n}" for n in range(101)]):
        with pytest.raises(openai.BadRequestError):
            await sdk.fine_tuning.checkpoints.permissions.create(model, project_ids=wrong)  # type: ignore[arg-type]


STRANGE_IDS = [
    "ft:a:ckpt-step-" + "9" * 5_000,
    "ft:a:ckpt-step-" + "9" * 10,
    "ft:a:ckpt-step-0",
    "ft:a:ckpt-step-01",
    "ft:a:ckpt-step-\u0663",
    "ft:",
    "ft:a:ckpt-step-",
]


@pytest.mark.parametrize("name", STRANGE_IDS, ids=lambda name: name[:20])
async def test_no_id_of_a_model_breaks_any_route(world: World, sdk: openai.AsyncOpenAI, name: str) -> None:
    body = await rft_body(sdk)
    permissions = f"/fine_tuning/checkpoints/{name}/permissions"
    asks: list[tuple[str, str, object, int]] = [
        ("GET", f"/models/{name}", None, 404),
        ("DELETE", f"/models/{name}", None, 404),
        ("GET", permissions, None, 404),
        ("POST", permissions, {"project_ids": ["proj_a"]}, 404),
        ("DELETE", f"{permissions}/cp_a", None, 404),
        ("POST", "/fine_tuning/jobs", {**body, "model": name}, 400),
        ("POST", "/chat/completions", {"model": name, "messages": [{"role": "user", "content": "x"}]}, 404),
        ("POST", "/responses", {"model": name, "input": "x"}, 404),
    ]
    async with world.http() as http:
        for method, path, sent, status in asks:
            reply = await http.request(method, path, json=sent)
            assert (reply.status_code, len(reply.content) < 500) == (status, True), (method, path[:40])


async def test_a_step_is_written_in_one_way(world: World, sdk: openai.AsyncOpenAI) -> None:
    """Else one checkpoint had many names."""
    _, model = await trained(world, sdk)
    assert await sdk.models.retrieve(f"{model}:ckpt-step-2")
    for other in ("02", "\u0662", "+2", "2 "):
        with pytest.raises(openai.NotFoundError):
            await sdk.models.retrieve(f"{model}:ckpt-step-{other}")
