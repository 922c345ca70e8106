"""The report: one HTML file that opens in any browser without a server or a network."""
