"""The stylesheet of the window, from the colours of a theme."""

from __future__ import annotations

from string import Template

from dqngui.gui.style.palette import Theme


def stylesheet(theme: Theme, icons: str) -> str:
    """Qt stylesheet; `icons` is the folder of the arrows, with forward slashes."""
    names = ["background", "surface", "raised", "line", "text", "muted", "accent", "on_accent", "good", "warn", "bad"]
    colors = {name: getattr(theme, name) for name in names}
    return Template(_SHEET).substitute(
        colors,
        hover=theme.mixed("text", 0.07, over="raised").name(),
        pressed=theme.mixed("text", 0.14, over="raised").name(),
        accent_hover=theme.mixed("accent", 0.88, over="text").name(),
        accent_pressed=theme.mixed("accent", 0.82, over="background").name(),
        accent_soft=theme.mixed("accent", 0.18).name(),
        control_line=theme.mixed("muted", 0.22, over="raised").name(),
        disabled=theme.mixed("muted", 0.6).name(),
        handle=theme.text,
        scroll=theme.mixed("muted", 0.35).name(),
        scroll_hover=theme.mixed("muted", 0.6).name(),
        icons=f"{icons}/{theme.name}",
    )


_SHEET = """
QMainWindow, QDialog { background: $background; }
QMainWindow::separator { background: transparent; width: 10px; height: 10px; }
QMainWindow::separator:hover { background: $line; }
QSplitter::handle { background: transparent; }
QDockWidget { color: $text; }
QLabel, QCheckBox, QRadioButton, QGroupBox { background: transparent; color: $text; }
QLabel:disabled, QCheckBox:disabled { color: $disabled; }

QFrame#card { background: $surface; border: 1px solid $line; border-radius: 8px; }
QFrame#notice { background: $surface; border: 1px solid $control_line; border-radius: 6px; }
QFrame#notice[role="warn"] { border-color: $warn; }
QFrame#notice[role="bad"] { border-color: $bad; }
QLabel[role="notice"] { color: $text; font-size: 12px; }
QWidget#cardHeader, QWidget#cardBody { background: transparent; }

QLabel[role="title"] { font-weight: 600; }
QLabel[role="value"] { font-weight: 600; }
QLabel[role="muted"], QLabel[role="secondary"] { color: $muted; font-size: 12px; }
QLabel[role="empty"] { color: $muted; }
QLabel[role="good"] { color: $good; }
QLabel[role="warn"] { color: $warn; }
QLabel[role="bad"] { color: $bad; }
QLabel[role="chip"] { background: $raised; color: $muted; border-radius: 4px; padding: 1px 6px; font-size: 11px; }
QLabel#readout { background: $raised; border: 1px solid $control_line; border-radius: 6px; padding: 5px 8px;
    font-size: 12px; }

QPushButton { background: $raised; color: $text; border: 1px solid $control_line; border-radius: 6px;
    padding: 5px 12px; min-height: 16px; font-weight: 500; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $disabled; background: $surface; border-color: $line; }
QPushButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton[role="accent"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="accent"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="accent"]:pressed { background: $accent_pressed; border-color: $accent_pressed; }
QPushButton[role="accent"]:focus { border-color: $text; }
QPushButton[role="accent"]:disabled { background: $raised; color: $disabled; border-color: $line; }
QPushButton[role="danger"] { color: $bad; }
QPushButton[role="smallAccent"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600;
    padding: 2px 10px; min-height: 15px; font-size: 12px; }
QPushButton[role="smallAccent"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="smallAccent"]:disabled { background: $raised; color: $disabled; border-color: $line; }
QPushButton[role="small"] { padding: 2px 10px; min-height: 15px; font-size: 12px; }
QPushButton[role="flat"] { background: transparent; border-color: transparent; color: $muted; }
QPushButton[role="flat"]:hover { background: $raised; color: $text; }
QPushButton[role="flat"]:checked { background: $raised; color: $text; font-weight: 600; }
QPushButton[role="flat"]:focus { border-color: $accent; }
QPushButton[role="flat"]:disabled { color: $disabled; }
QPushButton[role="line"] { background: transparent; border-color: transparent; padding: 1px 4px; font-size: 12px;
    font-weight: 400; text-align: left; }
QPushButton[role="line"]:hover { background: $raised; }
QPushButton[role="line"]:focus { border-color: $accent; }
QPushButton[role="line"]:disabled { color: $disabled; }

QToolButton { background: transparent; color: $muted; border: 1px solid transparent; border-radius: 6px; padding: 2px; }
QToolButton:hover { background: $raised; color: $text; }
QToolButton:pressed, QToolButton:checked { background: $pressed; color: $text; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; width: 0px; }
QPushButton[role="chip"] { background: $raised; color: $muted; border: none; border-radius: 4px; padding: 1px 6px;
    min-height: 14px; font-size: 11px; font-weight: 400; }
QPushButton[role="chip"]:enabled { background: $accent_soft; color: $text; }
QPushButton[role="chipQuiet"] { background: $raised; color: $muted; border: none; border-radius: 4px;
    padding: 1px 6px; min-height: 14px; font-size: 11px; font-weight: 400; }
QPushButton[role="chipQuiet"]:hover { background: $hover; color: $text; }
QPushButton[role="chip"]:focus, QPushButton[role="chipQuiet"]:focus { border: 1px solid $accent; }
QToolButton[role="button"] { background: $raised; color: $text; border: 1px solid $control_line; border-radius: 6px;
    padding: 5px 28px 5px 10px; min-height: 16px; font-weight: 500; }
QToolButton[role="button"]:hover { background: $hover; }
QToolButton[role="button"]:pressed { background: $pressed; }
QToolButton[role="button"]:focus { border-color: $accent; }
QToolButton[role="button"]:disabled { color: $disabled; background: $surface; border-color: $line; }
QToolButton[role="button"]::menu-button { border: none; border-left: 1px solid $control_line; width: 20px; }
QToolButton[role="button"]::menu-arrow { image: url("$icons-down.svg"); width: 10px; height: 10px; }
QToolButton[role="disclosure"] { color: $muted; font-size: 12px; padding: 1px 4px 1px 0; margin-left: -5px; }
QToolButton[role="disclosure"]:checked { background: transparent; color: $text; }
QToolButton[role="disclosure"]:hover { background: transparent; color: $text; }
QToolButton[role="legend"] { color: $text; font-size: 12px; padding: 1px 5px; }
QToolButton[role="legend"]:checked { background: transparent; color: $text; }
QToolButton[role="legend"]:!checked { color: $disabled; }
QToolButton[role="legend"]:hover { background: $raised; }
QToolButton[role="choice"] { color: $muted; font-size: 12px; padding: 1px 18px 1px 6px; }
QToolButton[role="choice"]:hover { color: $text; }
QToolButton[role="choice"]::menu-indicator { image: url("$icons-down.svg"); width: 10px; height: 10px;
    subcontrol-origin: padding; subcontrol-position: center right; right: 4px; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QAbstractSpinBox, QPlainTextEdit, QTextEdit {
    background: $raised; color: $text; border: 1px solid $control_line; border-radius: 6px; padding: 3px 8px;
    min-height: 18px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover { background: $hover; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus,
QTextEdit:focus { border-color: $accent; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {
    color: $disabled; background: $surface; border-color: $line; }
QLineEdit:read-only { background: $surface; border-color: $line; }
QLineEdit[role="bad"], QAbstractSpinBox[role="bad"], QComboBox[role="bad"] { border-color: $bad; }
QLineEdit[role="knob"], QLineEdit[role="knobPending"], QLineEdit[role="knobBad"] { background: transparent;
    border-color: transparent; padding: 1px 0 1px 4px; min-height: 16px; font-weight: 600; }
QLineEdit[role="knobPending"] { color: $warn; }
QLineEdit[role="knob"]:hover:enabled, QLineEdit[role="knobPending"]:hover { background: $raised; }
QLineEdit[role="knob"]:focus, QLineEdit[role="knobPending"]:focus { background: $raised; border-color: $accent; }
QLineEdit[role="compact"], QLineEdit[role="compactBad"] { padding: 2px 4px; }
QLineEdit[role="knobBad"], QLineEdit[role="knobBad"]:focus, QLineEdit[role="compactBad"] { border-color: $bad; }
QComboBox { padding-right: 4px; combobox-popup: 0; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QComboBox::drop-down { border: none; width: 22px; subcontrol-origin: border; subcontrol-position: center right; }
QComboBox::down-arrow { image: url("$icons-down.svg"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line; border-radius: 6px;
    padding: 4px; outline: none; selection-background-color: $accent_soft; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover { background: $accent_soft;
    color: $text; }
QAbstractSpinBox { padding: 3px 0 2px 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: 18px;
    subcontrol-origin: border; }
QAbstractSpinBox::up-button { subcontrol-position: top right; margin: 2px 2px 0 0; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin: 0 2px 2px 0; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $pressed; border-radius: 3px; }
QAbstractSpinBox::up-arrow { image: url("$icons-up.svg"); width: 9px; height: 9px; }
QAbstractSpinBox::down-arrow { image: url("$icons-down.svg"); width: 9px; height: 9px; }

QCheckBox { spacing: 8px; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $muted;
    background: $raised; }
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$icons-check.svg"); }
QRadioButton::indicator:checked { background: $on_accent; border: 4px solid $accent; width: 8px; height: 8px; }
QCheckBox::indicator:disabled { border-color: $line; }
QCheckBox::indicator:checked:disabled { background: $disabled; border-color: $disabled; }

QSlider { min-height: 14px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $line; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 7px; background: $handle;
    border: 1px solid $surface; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { border: 2px solid $accent; width: 10px; height: 10px; }
QSlider::sub-page:horizontal:disabled { background: $disabled; }
QSlider::handle:horizontal:disabled { background: $disabled; }

QProgressBar { background: $raised; border: none; border-radius: 3px; min-height: 6px; max-height: 16px;
    text-align: center; color: $text; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QProgressBar[role="paused"]::chunk { background: $warn; }
QProgressBar::chunk:disabled { background: $disabled; }

QScrollArea, QAbstractScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $scroll; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $scroll_hover; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $muted; border: none; border-radius: 6px; padding: 5px 12px;
    margin: 0 2px 4px 0; }
QTabBar::tab:hover { color: $text; background: $raised; }
QTabBar::tab:selected { color: $text; background: $raised; font-weight: 600; }
QTabBar::tab:focus { border: 1px solid $accent; }
QTabWidget::pane { border: none; }

QMenuBar { background: $background; color: $text; }
QMenuBar::item { background: transparent; padding: 5px 10px; border-radius: 6px; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $surface; color: $text; border: 1px solid $line; padding: 5px; }
QMenu::item { padding: 6px 24px 6px 10px; border-radius: 4px; }
QMenu::icon { padding-left: 8px; }
QMenu::item:selected { background: $accent_soft; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }
QMenu::right-arrow { image: url("$icons-right.svg"); width: 12px; height: 12px; margin-right: 4px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }
QMenu::indicator:checked { background: $accent; border-radius: 4px; image: url("$icons-check.svg"); }

QToolTip { background: $raised; color: $text; border: 1px solid $control_line; padding: 5px 8px;
    font-size: 12px; }
QStatusBar { background: $background; color: $muted; }
QStatusBar::item { border: none; }
QHeaderView { background: transparent; }
QHeaderView::section { background: transparent; color: $muted; border: none; border-bottom: 1px solid $line;
    padding: 4px 6px; font-size: 12px; }
QTableView, QTreeView, QListView { background: transparent; border: none; outline: none; gridline-color: $line;
    selection-background-color: $accent_soft; selection-color: $text; alternate-background-color: transparent; }
QTableView::item, QTreeView::item, QListView::item { padding: 3px 6px; }
QTableView::item:hover, QTreeView::item:hover, QListView::item:hover { background: $raised; }
"""
