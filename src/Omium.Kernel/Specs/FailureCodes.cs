using System.Collections.Frozen;
using System.Globalization;

namespace Omium.Kernel.Specs;

/// <summary>
/// Every code that an attempt of a step can fail with and that nobody has written into a workflow: those of Omium itself, beside the classes (a class is a
/// code, too) and the codes of guards. A test holds the list to the places that raise them. A child workflow passes on the code that it failed with.
/// </summary>
public static class FailureCodes
{
    private static readonly string[] OfTemplatesAndChecks =
    [
        "input_expression", "edge_condition", "effect_amount", "effect_key", "request_template", "invalid_scope", "write_value", "items_expression", "too_many_items", "item_too_large",
        ForEachSpec.TooManyFailedCode, "arguments_schema", "result_schema", "malformed_answer", "handoff_schema", "handoff_constraint", "claim_not_stated", "quorum_refused",
    ];

    private static readonly string[] OfConduct =
    [
        "turns_exhausted", "visits_exhausted", "loop_exhausted", "same_call_again", "same_effect_again", "same_visit_again", "tool_of_another_role", "child_too_deep",
    ];

    private static readonly string[] OfPeople = ["approval_timeout", "approval_outdated", "call_rejected", "child_cancelled", "not_done"];

    private static readonly string[] OfSharing = ["alias_unknown", "lock_lost", "write_blocked", "breaker_open"];

    private static readonly string[] OfModels =
    [
        "model_not_configured", "model_not_found", "unauthorized", "quota_exhausted", "context_overflow", "content_filter", "content_filtered", "model_refused", "answer_truncated",
        "answer_too_large", "malformed_response", "stream_error", "request_too_large", "response_timeout", "connection_failed",
    ];

    private static readonly string[] OfTools =
    [
        "request_invalid", "header_invalid", "method_invalid", "url_invalid", "scheme_refused", "secret_missing", "address_refused", "redirect_refused", "connect_timeout",
        "connection_refused", "connection_broken", "host_not_found", "tls_failed", "response_malformed", "response_too_large", "tool_failed", "mcp_error", "mcp_refused",
        "mcp_server_failed", "mcp_server_not_found", "function_failed", "function_not_found", "function_timeout", "feature_unavailable", "not_recorded", "runner_stalled",
        "worker_failed", "workflow_not_found", "reserved_name", "verified_not_done", "json_syntax", "json_too_large", "json_invalid_text", "json_duplicate_name", "json_too_deep",
        "json_number_range",
    ];

    /// <summary>Beginning of the codes of answers that are neither a success nor had a code of their own: with the status, as in <c>http_503</c>.</summary>
    public const string HttpPrefix = "http_";

    /// <summary>Every single code, in the order of the documentation.</summary>
    public static readonly IReadOnlyList<string> All = [.. OfTemplatesAndChecks, .. OfConduct, .. OfPeople, .. OfSharing, .. OfModels, .. OfTools];

    private static readonly FrozenSet<string> Known = All.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>True for a code of <see cref="All"/>, and for <c>http_</c> with a status that is no success: 300 to 999.</summary>
    public static bool IsBuiltIn(string code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return Known.Contains(code)
            || (code.Length == HttpPrefix.Length + 3 && code.StartsWith(HttpPrefix, StringComparison.Ordinal)
                && int.TryParse(code.AsSpan(HttpPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status >= 300);
    }
}
