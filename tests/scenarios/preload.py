"""What the fork server imports once, so that each child starts in milliseconds."""

import rftplan.api.openai
import rftplan.project
import rftplan.server.app
import rftplan.server.simulate
import tests.world

__all__ = ["rftplan", "tests"]
