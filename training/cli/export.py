"""`dolly-train export CHECKPOINT`."""

from pathlib import Path

import click

from training.cli.options import WATCHING, with_options


@click.command(short_help="Write a checkpoint for llama.cpp and Ollama, or in another precision.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--to", type=click.Choice(("gguf", "safetensors")), default="gguf", show_default=True, help="The format.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(("f32", "f16", "bf16", "q8_0")),
    default="f16",
    show_default=True,
    help="Of the matrices in a GGUF file.",
)
@click.option(
    "--dtype",
    type=click.Choice(("bf16", "fp32")),
    default=None,
    help="Of weights in safetensors.  [default: the checkpoint's]",
)
@click.option("--shard-size", default="4GB", show_default=True, metavar="SIZE", help="Largest file of safetensors.")
@click.option(
    "--converter", default="", metavar="FILE", help="Use llama.cpp's convert_hf_to_gguf.py; also $LLAMA_CPP_CONVERTER."
)
@click.option(
    "--check/--no-check", default=True, show_default=True, help="Compare llama.cpp's answers with the checkpoint's."
)
@click.option("--force", is_flag=True, help="Write again even if the same export stands there.")
@with_options(*WATCHING)
def export(
    checkpoint: Path,
    output: Path,
    to: str,
    kind: str,
    dtype: str | None,
    shard_size: str,
    converter: str,
    *,
    check: bool,
    force: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Write CHECKPOINT as a GGUF file with an Ollama Modelfile beside it, or as safetensors in another precision.

    A GGUF file is served by llama.cpp before it is published: it must cut the prompts into the same tokens and give the
    same greedy answers, but for rounding.
    """
    from training.export.make import Export
    from training.export.make import export as make
    from training.show import run as show

    how = Export(to=to, type=kind, dtype=dtype or "", shard_size=shard_size, converter=converter, check=check)  # type: ignore[arg-type]  # click has checked the choices
    aside = show.Watch.on(as_json=as_json, plain=plain)
    exported = make(checkpoint, output, how, force=force, aside=aside)
    click.echo(show.exported_json(exported) if as_json else show.exported_text(exported))
