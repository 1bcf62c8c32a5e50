"""`python -m rftplan` is the `rftplan` command. Holds no logic."""

import sys

from rftplan.cli import main

sys.exit(main())
