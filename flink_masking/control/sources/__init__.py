"""Sources of control documents: a directory, a bundle (one file, local or by HTTPS), a compacted Kafka topic."""

from flink_masking.control.options import ControlOptions
from flink_masking.control.sources.base import Source


def open_source(options: ControlOptions) -> Source:
    """The source that a deployment names; nothing is read yet.

    Raises:
        ControlError: a login or certificate cannot be read, or what the source needs is not installed.
    """
    if options.topic:
        from flink_masking.control.sources.topic import TopicSource

        return TopicSource(options)
    if options.source.startswith("file:"):
        from flink_masking.control.sources.local import BundleSource, DirectorySource, local_path

        path = local_path(options.source)
        return BundleSource(path) if path.suffix == ".jsonl" else DirectorySource(path)
    from flink_masking.control.sources.http import HttpSource

    return HttpSource(options)
