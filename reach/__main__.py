"""`python -m reach`, from a checkout."""

import sys

from reach.app import main

sys.exit(main())
