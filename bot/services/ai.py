"""What a language model can be asked for: words, and nothing else. It is given no tools, so it can do nothing but answer.

What viewers wrote belongs into `about`, where it is marked as something to speak of and not to obey.
"""

from typing import Final

from engine.declare import Method, Param

SERVICE: Final = "ai"

METHODS: Final = (
    Method(
        SERVICE,
        "ask",
        (
            Param("prompt", slot="text"),
            Param("about", "any", required=False, slot="text"),
            Param("needs", required=False),
            Param("max_length", "number", required=False),
        ),
        (
            "ask ai {prompt}",
            "ask ai {prompt} about {about}",
            "ask (the|an) (ai|model|chatbot|llm) [to|for] {prompt}",
            "ask (ai|chatgpt|gpt) (to|for) {prompt}",
            "let [the|an] (ai|model|chatbot|llm) (answer|write) {prompt}",
        ),
        verb="answer",
        noun=("ai answer", "answer"),
        repeatable=True,
    ),
)
