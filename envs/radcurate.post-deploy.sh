#!/usr/bin/env bash
# Run by Snakemake in the fresh conda environment: the locked set with its hashes, then the package itself.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
uv pip install --no-deps --require-hashes -r "$project/envs/requirements.txt"
uv pip install --no-deps "$project"
