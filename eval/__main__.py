"""`python -m eval simulate | classifier | zero-results | search | similar | related | queries | judgments | …`."""

import typer

from eval import judgments, queries, related, report, search, zero_results
from eval.ablation import command as ablation
from eval.benchmarks import encoder, enlarged, service
from eval.benchmarks import search as search_benchmark
from eval.benchmarks import towers as towers_benchmark
from eval.benchmarks import vectors as vectors_benchmark
from eval.classifier import command as classifier
from eval.similar import command as similar
from eval.simulate import command as simulate
from relevance.entry import run

app = typer.Typer(help="Simulate and measure, offline.", no_args_is_help=True, add_completion=False)
app.command("simulate")(simulate.command)
app.command("classifier")(classifier.command)
app.command("zero-results")(zero_results.command)
app.command("search")(search.command)
app.command("similar")(similar.command)
app.command("queries")(queries.command)
app.command("related")(related.command)
app.command("judgments")(judgments.command)
app.command("report")(report.command)
app.command("ablation")(ablation.command)

bench = typer.Typer(help="Time the parts on this machine.", no_args_is_help=True)
bench.command("encoder")(encoder.command)
bench.command("enlarge")(enlarged.command)
bench.command("search")(search_benchmark.command)
bench.command("service")(service.command)
bench.command("towers")(towers_benchmark.command)
bench.command("vectors")(vectors_benchmark.command)
app.add_typer(bench, name="bench")

if __name__ == "__main__":
    run(app, "python -m eval")
