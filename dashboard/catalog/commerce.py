"""A shop's orders, baskets, payments and promotions. Pure.

They come through the API alone and are off until a shop is connected.
"""

from __future__ import annotations

from dashboard.catalog.fields import BRAND, CATEGORY, DUE, RATING, STATUS
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

ORDER = (
    Field("order", Kind.CODE, N_("Order number")),
    STATUS,
    Field("value", Kind.DECIMAL, N_("Order value")),
    Field("currency", Kind.TEXT, N_("Currency")),
    Field("product_id", Kind.CODE, N_("Product number")),
    Field("product", Kind.TEXT, N_("Product")),
    CATEGORY,
    BRAND,
    Field("price", Kind.DECIMAL, N_("Price")),
    Field("quantity", Kind.DECIMAL, N_("Quantity")),
    Field("coupon", Kind.CODE, N_("Coupon")),
    Field("payment", Kind.TEXT, N_("Payment method")),
    Field("ledger_ids", Kind.LIST, N_("Ledger entries")),
    DUE,
)
PROMOTION = Field("promotion", Kind.TEXT, N_("Promotion"))

_shop = maker("commerce", "system", origin=Origin.EXTERNAL, on=False)

TYPES: tuple[EventType, ...] = (
    _shop("commerce.product_clicked", N_("Product clicked"), *ORDER),
    _shop("commerce.product_viewed", N_("Product viewed"), *ORDER),
    _shop("commerce.product_shared", N_("Product shared"), *ORDER),
    _shop("commerce.product_reviewed", N_("Product reviewed"), *ORDER, RATING),
    _shop("commerce.product_returned", N_("Product returned"), *ORDER),
    _shop("commerce.basket_viewed", N_("Basket viewed"), *ORDER),
    _shop("commerce.basket_item_added", N_("Product added to the basket"), *ORDER),
    _shop("commerce.basket_item_removed", N_("Product removed from the basket"), *ORDER),
    _shop("commerce.checkout_started", N_("Checkout started"), *ORDER),
    _shop("commerce.checkout_completed", N_("Checkout completed"), *ORDER),
    _shop("commerce.checkout_status_changed", N_("Checkout status changed"), *ORDER),
    _shop("commerce.delivery_info_entered", N_("Delivery details entered"), *ORDER),
    _shop("commerce.payment_info_entered", N_("Payment details entered"), *ORDER),
    _shop("commerce.order_started", N_("Order started"), *ORDER),
    _shop("commerce.order_completed", N_("Order completed"), *ORDER),
    _shop("commerce.order_status_changed", N_("Order status changed"), *ORDER),
    _shop("commerce.sale_completed", N_("Sale completed"), *ORDER),
    _shop("commerce.order_awaiting_dispatch", N_("Order awaiting dispatch"), *ORDER),
    _shop("commerce.order_dispatched", N_("Order dispatched"), *ORDER),
    _shop("commerce.order_in_transit", N_("Order in transit"), *ORDER),
    _shop("commerce.order_awaiting_pickup", N_("Order awaiting pickup"), *ORDER),
    _shop("commerce.order_delivered", N_("Order delivered"), *ORDER),
    _shop("commerce.payable_created", N_("Payable created"), *ORDER),
    _shop("commerce.receivable_created", N_("Receivable created"), *ORDER),
    _shop("commerce.payment_sent", N_("Payment sent"), *ORDER),
    _shop("commerce.payment_received", N_("Payment received"), *ORDER),
    _shop("commerce.payable_overdue", N_("Payable overdue"), *ORDER),
    _shop("commerce.receivable_overdue", N_("Receivable overdue"), *ORDER),
    _shop("commerce.promotion_viewed", N_("Promotion viewed"), *ORDER, PROMOTION),
    _shop("commerce.promotion_clicked", N_("Promotion clicked"), *ORDER, PROMOTION),
)
