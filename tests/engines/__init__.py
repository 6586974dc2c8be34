"""The programs that tests run against: each is started by the tests, and gone after them."""
