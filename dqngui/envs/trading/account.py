"""An account of whole cents and whole shares: what is bought, sold and paid adds up exactly."""

from __future__ import annotations

from dataclasses import dataclass

START_CENTS = 1_000_000_000
"""10,000,000.00 at the beginning of an episode: so much that whole shares are fine steps."""
_TEN_THOUSAND = 10_000 * 1_000
"""Costs are given in thousandths of a basis point."""


@dataclass
class Account:
    """Cash and shares; a negative number of shares is a short position.

    Attributes:
        cash: cents; may be negative where a long position was filled at a higher price than it was planned at.
        shares: whole shares held.
        paid: cents of costs and slippage so far.
    """

    cash: int = START_CENTS
    shares: int = 0
    paid: int = 0

    def equity(self, price: int) -> int:
        """Cents that would be left if all shares were sold at this price, without costs."""
        return self.cash + self.shares * price

    def trade(self, shares: int, price: int, cost: int, slippage: int) -> None:
        """Come to hold so many shares.

        Args:
            shares: held afterwards.
            price: cents for a share, before slippage.
            cost, slippage: thousandths of a basis point of the traded value; each is rounded up to a cent.
        """
        traded = shares - self.shares
        value = abs(traded) * price
        fee = _rounded_up(value * cost) + _rounded_up(value * slippage)
        self.cash -= traded * price + fee
        self.paid += fee
        self.shares = shares


def affordable(equity: int, price: int) -> int:
    """Whole shares that a position as large as the equity holds; 0 for a lost account."""
    return max(0, equity // price)


def _rounded_up(cents: int) -> int:
    return -(-cents // _TEN_THOUSAND)
