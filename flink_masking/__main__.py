"""``python -m flink_masking``: the command line."""

from flink_masking.cli import main

if __name__ == "__main__":
    main()
