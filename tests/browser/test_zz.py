"""X."""
import time
from browser.test_sleep import *
def test_timing(stage, devices):
    devices.forgive(NO_LINE)
    v = stage.ring()[1]
    t=time.time(); p=lambda w: print(w, round(time.time()-t,2))
    page = devices.open("/", stage.cookie(v)); p("open")
    expect(page.locator("#link")).to_have_text("en direct"); p("live")
    page.context.set_offline(True); p("off")
    page.get_by_role("link", name="Je suis mort").tap(); p("tap")
    b = page.get_by_role("button", name="Maintiens pour mourir")
    with finger_on(page, b):
        p("finger")
        expect(page.locator("#pending")).to_be_visible(); p("pending")
    p("lifted")
    page.context.set_offline(False); p("on")
    expect(page.locator("#card")).to_have_attribute("data-mood", "dead"); p("dead")
