"""The window around the cards: header, menus, banner, status line and dialogs. No card."""
