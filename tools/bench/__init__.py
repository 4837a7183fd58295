"""Speed and memory, measured by `make bench` on an idle machine; the pages quote results/bench/*.json."""
