"""Facts and findings made readable: one report, one file a format."""
