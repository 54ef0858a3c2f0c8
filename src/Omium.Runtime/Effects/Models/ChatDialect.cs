using Omium.Kernel.Executions;

namespace Omium.Runtime.Effects.Models;

/// <summary>What one model's endpoint understands, learned from its refusals: a 400 that names a field has done nothing.</summary>
/// <param name="Output">How structured output is asked for.</param>
/// <param name="HasCompletionTokens">
/// True: the limit is called max_completion_tokens. The older max_tokens is tried first: every compatible endpoint knows it, and those of
/// OpenAI's models that refuse it name the newer one.
/// </param>
/// <param name="HasStreamOptions">False: stream_options is left out, and a streamed answer comes without token counts.</param>
internal sealed record ChatDialect(StructuredOutput Output, bool HasCompletionTokens = false, bool HasStreamOptions = true)
{
    /// <summary>The next simpler dialect after a refusal; null when the refusal is about something else.</summary>
    public ChatDialect? After(int status, ModelErrorBody error, ModelRequest request, bool isStream, bool mayChangeOutput)
    {
        if (status is not (400 or 422))
        {
            return null;
        }

        if (request.AnswerTokensMax is not null && !HasCompletionTokens && error.Says("max_completion_tokens"))
        {
            return this with { HasCompletionTokens = true };
        }

        if (isStream && HasStreamOptions && error.Says("stream_options"))
        {
            return this with { HasStreamOptions = false };
        }

        var isAboutOutput = error.Says("response_format") || error.Says("json_schema") || error.Says("json_object");
        return mayChangeOutput && request.AnswerSchema is not null && Output != StructuredOutput.Words && isAboutOutput
            ? this with { Output = Output == StructuredOutput.Schema ? StructuredOutput.JsonObject : StructuredOutput.Words }
            : null;
    }
}
