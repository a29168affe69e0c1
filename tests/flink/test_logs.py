"""What Python logs where Flink's functions are imported."""

import subprocess
import sys


def test_beam_does_not_warn_of_file_systems_that_nobody_uses():
    """Beam's file systems are imported without a word; any other warning of the same logger is printed."""
    program = ("import flink_masking.flink, logging, apache_beam.io.filesystems as beam; "
               "logging.getLogger(beam.__name__).warning('Failed to import X; loading of this filesystem will be skipped.'); "
               "logging.getLogger(beam.__name__).warning('other')")
    done = subprocess.run([sys.executable, "-P", "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "other\n")
