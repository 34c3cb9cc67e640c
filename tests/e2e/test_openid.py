"""Logging in through the institution's provider as a person does: two sites, one browser."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scripts", [True, False])
def test_an_analyst_comes_in_by_the_link_of_the_institution(world, visit, live_server, provider, scripts):
    provider.set_up()
    provider.tell(return_addresses=[live_server.url + provider.link("openid_return")])
    provider.person("awa", world.analyst)
    page = visit(java_script_enabled=scripts)
    errors = []

    def hear(message):
        ours = message.location.get("url", "").startswith(live_server.url)  # the provider has no favicon
        if message.type == "error" and ours:
            errors.append(message.text)

    page.on("console", hear)

    page.goto(f"{provider.link()}?next=/demandes")
    page.get_by_role("link", name="Se connecter avec Horizon").click()
    page.get_by_role("heading", name="Banque Horizon").wait_for()
    page.fill("input[name=username]", "awa")
    page.fill("input[name=password]", "awa")
    page.get_by_role("button", name="Entrer").click()
    page.wait_for_url("**/demandes")

    assert page.get_by_role("heading", level=1).inner_text() == "Demandes"
    assert errors == []
    page.context.clear_cookies(name="sessionid")
    page.goto("/connexion")
    page.get_by_role("link", name="Se connecter avec Horizon").click()  # the provider knows the person still
    page.wait_for_url(re.compile(rf"{re.escape(live_server.url)}/$"))
