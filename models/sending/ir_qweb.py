from lxml import etree

from odoo import models, tools


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _generate_code_uncached(self, template):
        """Compile a text once, though it comes as another tree for each record: where
        the context says ``followup_compile_once``.

        Odoo keeps what it compiled of views, but not of texts that users write: most of
        the time of an e-mail went into compiling the same text again. What is kept here
        has the same key as views have, with the text in the place of the view. Texts
        that may not use all expressions are left to Odoo, who asks that when compiling.
        """
        # EXTENDS 'base'
        context = self.env.context
        once = context.get("followup_compile_once")
        restricted = "raise_on_forbidden_code_for_model" in context
        if once and not restricted and isinstance(template, etree._Element):
            source = etree.tostring(template, encoding="unicode")
            return self._followup_compile(source, template)
        return super()._generate_code_uncached(template)

    @tools.ormcache(
        "source",
        "tuple(self.env.context.get(k) or False for k in"
        " self._get_template_cache_keys())",
        cache="templates",
    )
    def _followup_compile(self, source, template):
        """Compile a text.

        :param template: the tree of ``source``, which stands for it in the cache
        """
        plain = self.with_context(followup_compile_once=False)
        return plain._generate_code_uncached(template)
