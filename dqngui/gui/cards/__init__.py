"""What all cards share: frame and header, the Panel contract, lines above or below a panel. Not where cards stand."""
