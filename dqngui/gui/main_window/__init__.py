"""What stands around the cards: the window, its header, menus, banner, status line and dialogs. No card."""
