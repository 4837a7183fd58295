"""Numbers that the pages quote: trained and measured by `make results`, never typed."""
