"""What every card shares: its frame and header, the Panel contract, and lines that stand above or below a panel."""
