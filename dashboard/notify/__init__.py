"""Ways out: webhooks, chats and mail, sent by the worker, tried again, given up visibly."""
