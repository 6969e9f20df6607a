"""`barnabas dump-log`: what the files of a partition hold, in the words of Kafka's dump tool."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from broker.storage.segments import names
from tools.dump_log.decoders import STRING, Decoder, decoder, deprecations
from tools.dump_log.findings import Findings
from tools.dump_log.index_text import IndexOptions, index_lines, time_index_lines
from tools.dump_log.internal_topics import offsets_decoder, transaction_decoder
from tools.dump_log.log_text import LogOptions, log_lines
from tools.dump_log.problems import unreadable
from tools.dump_log.small_files import Damaged, snapshot_lines, transaction_index_lines
from tools.dump_log.stored import NO_LIMIT

_CLASS: dict[str, Any] = {"is_flag": False, "flag_value": STRING, "metavar": "[CLASS]"}


@click.command("dump-log")
@click.argument("paths", nargs=-1, metavar="FILE…")
@click.option("--files", metavar="FILE,…", help="The same, comma separated, as Kafka's tool has it.")
@click.option("--print-data-log", is_flag=True, help="Print keys and values; any decoder does too.")
@click.option("--deep-iteration", is_flag=True, help="Print every record, not only batches; --print-data-log does too.")
@click.option("--skip-record-metadata", is_flag=True, help="Print only key and value of a record.")
@click.option("--max-bytes", type=click.IntRange(0, NO_LIMIT), default=NO_LIMIT, help="Read so much of each .log.")
@click.option(
    "--key-decoder-class", **_CLASS, help="StringDecoder, IntegerDecoder, LongDecoder, or DefaultDecoder (hex)."
)
@click.option("--value-decoder-class", **_CLASS, help="The same for values.")
@click.option("--offsets-decoder", is_flag=True, help="The file is of __consumer_offsets.")
@click.option("--transaction-log-decoder", is_flag=True, help="The file is of __transaction_state.")
@click.option("--index-sanity-check", is_flag=True, help="Only what a broker checks of an index at start.")
@click.option("--verify-index-only", is_flag=True, help="Compare an index with its log and print no entries.")
@click.option(
    "--max-message-size", type=int, default=5 * 1024 * 1024, show_default=True, help="Largest batch, in bytes."
)
def dump_log(paths: Sequence[str], files: str | None, **options: Any) -> None:
    """Print what is in .log, .index, .timeindex, .snapshot and .txnindex files, without a broker.

    Findings follow at the end, on stderr. Line by line this is the output of Kafka 3.9's DumpLogSegments.
    """
    paths = [*paths, *(files.split(",") if files else ())]
    if not paths:
        raise click.UsageError("Name the files to dump.")
    findings = Findings()
    for path in paths:
        _print(f"Dumping {path}")
        try:
            for line in _lines(Path(path), options, findings):
                _print(line)
        except Damaged as no:
            _tell(str(no))
    for line in findings.lines():
        _tell(line)


def _lines(path: Path, options: dict[str, Any], findings: Findings) -> Iterator[str]:
    indexes = IndexOptions(options["index_sanity_check"], options["verify_index_only"], options["max_message_size"])
    match path.suffix:
        case names.LOG:
            old_names = (options["value_decoder_class"], options["key_decoder_class"])
            yield from deprecations(*(name for name in old_names if name))
            yield from log_lines(path, _offset(path), _log_options(options), findings)
        case names.INDEX:
            yield from index_lines(path, _offset(path), indexes, findings)
        case names.TIME_INDEX:
            yield from time_index_lines(path, _offset(path), indexes, findings)
        case names.SNAPSHOT:
            yield from snapshot_lines(path)
        case names.TXN_INDEX:
            yield from transaction_index_lines(path)
        case _:
            _tell(f"Ignoring unknown file {path}")


def _log_options(options: dict[str, Any]) -> LogOptions:
    chosen = _decoder(options)
    deep = options["deep_iteration"] or chosen is not None
    return LogOptions(deep, not options["skip_record_metadata"], chosen, options["max_bytes"])


def _decoder(options: dict[str, Any]) -> Decoder | None:
    """None if keys and values are not asked for. Raises: OperatorError: no such decoder."""
    if options["offsets_decoder"]:
        return offsets_decoder
    if options["transaction_log_decoder"]:
        return transaction_decoder
    classes = options["key_decoder_class"], options["value_decoder_class"]
    if any(classes) or options["print_data_log"]:
        return decoder(classes[0] or STRING, classes[1] or STRING)
    return None


def _offset(path: Path) -> int:
    """The first offset of a segment, by the name of its file."""
    name = path.name.partition(".")[0]
    if not name.isdecimal():
        raise unreadable(f"{path.name} is not the name of a segment.", "It begins with the offset of its first record.")
    return int(name)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


def _tell(line: str) -> None:
    sys.stdout.flush()
    click.echo(line, err=True)
