"""What the fork server imports once, so that each child starts in milliseconds."""

import anyio._backends._asyncio
import filelock
import openai.resources.files
import openai.resources.fine_tuning
import openai.resources.uploads

import rftplan.api.openai
import rftplan.cli.app
import rftplan.cli.boundary
import rftplan.cli.interrupt
import rftplan.cli.live
import rftplan.cli.order
import rftplan.project
import rftplan.server.app
import rftplan.server.simulate
import tests.world

__all__ = ["anyio", "filelock", "openai", "rftplan", "tests"]
