"""The tap under the name that training scripts import. To copy it alone, take detloss_cli/predictions/detloss_tap.py."""

import sys

from detloss_cli.predictions.detloss_tap import Tap, main, tap, ultralytics_callback

__all__ = ["Tap", "main", "tap", "ultralytics_callback"]

if __name__ == "__main__":
    sys.exit(main())
