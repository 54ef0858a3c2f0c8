using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Renders the request of a call from recorded state only. Templates of the tool see <c>input</c> (the arguments), <c>execution</c>, <c>now</c>
/// is not offered (a request must be the same whenever it is repeated), and <c>secrets</c> as markers.
/// </summary>
public static class ToolRendering
{
    /// <summary>The request, or why it cannot be rendered. <paramref name="arguments"/> are resolved (no payload references).</summary>
    public static ToolRequest? TryRender(ExecutionState state, DecisionValues values, CallState call, JsonElement arguments, out string? problem)
    {
        var tool = values.Plan.Tool(call.Tool)!;
        var step = values.Plan.Step(call.Id.Step)!;
        var timeout = (step.OwnsCall ? step.Spec.Timeout : null) ?? tool.Spec.Timeout;
        var request = TryRender(state, values, tool, arguments, call.Key, call.Id.ToString(), timeout, out problem);
        return request is null ? null : request with { FencingTokens = TokensOf(state.SharedOf(call.Id.Key)) };
    }

    private static string? TokensOf(SharedUse? use) => use is { Locks: LockPhase.Held, Grants.Count: > 0 } shared
        ? string.Join(", ", shared.Grants
            .DistinctBy(grant => grant.Root)
            .Select(grant => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{string.Join('/', grant.Root.Split('/').Select(Uri.EscapeDataString))}={grant.Token}")))
        : null;

    /// <summary>The request of the verify tool: its arguments are <c>{"input": arguments, "key": key}</c>.</summary>
    public static ToolRequest? TryRenderVerify(ExecutionState state, DecisionValues values, CallState call, JsonElement arguments, out string? problem) =>
        TryRenderOther(state, values, call, Effect(values.Plan, call).Verify, "v", null, ProbeArguments(call, arguments), out problem);

    /// <summary>The request of a tool that measures a claim of a handoff: its arguments are those on record.</summary>
    public static ToolRequest? TryRenderMeasurement(ExecutionState state, DecisionValues values, HandoffClaim claim, string effect, JsonElement arguments, out string? problem)
    {
        var tool = values.Plan.Tool(claim.Tool!)!;
        return TryRender(state, values, tool, arguments, null, effect, tool.Spec.Timeout, out problem);
    }

    /// <summary>
    /// The request of the compensation: its arguments are <c>{"input": arguments, "output": result, "key": key, "happened": "yes" | "unknown"}</c>, its
    /// key is derived from the call's. Unknown: the call gave no result, and may never have happened; then there is no output, and a tool that
    /// finds nothing to undo answers success (404 and 410 count as that).
    /// </summary>
    public static ToolRequest? TryRenderCompensation(ExecutionState state, DecisionValues values, CallState call, JsonElement arguments, JsonElement? result, out string? problem) =>
        TryRenderOther(state, values, call, Effect(values.Plan, call).Compensate, "u", $"{call.Key}-undo", UndoArguments(call, arguments, result), out problem);

    /// <summary>
    /// True when the compensation of a call is verifiable and not idempotent: its beginning is put on record, and after a crash its verify tool is asked
    /// before it is called again.
    /// </summary>
    public static bool UndoNeedsIntent(WorkflowPlan plan, CallState call) => UndoEffect(plan, call) is { Kind: EffectKind.Verifiable };

    /// <summary>The effect of the tool that undoes a call; null when there is none, or when it is a child workflow, which undoes itself.</summary>
    internal static EffectSpec? UndoEffect(WorkflowPlan plan, CallState call) => call.Child is null && Effect(plan, call).Compensate is { } name ? plan.Tool(name)?.Spec.Effect : null;

    /// <summary>The request that asks whether a call was undone: its arguments are <c>{"input": arguments of the compensation, "key": its key}</c>.</summary>
    public static ToolRequest? TryRenderUndoVerify(ExecutionState state, DecisionValues values, CallState call, JsonElement arguments, JsonElement? result, out string? problem) =>
        TryRenderOther(state, values, call, UndoEffect(values.Plan, call)?.Verify, "w", null,
            JsonMake.Object(("input", UndoArguments(call, arguments, result)), ("key", JsonMake.Text($"{call.Key}-undo"))), out problem);

    private static JsonElement UndoArguments(CallState call, JsonElement arguments, JsonElement? result) => JsonMake.Object(
        ("input", arguments), ("output", result ?? JsonMake.Null), ("key", Text(call.Key)), ("happened", JsonMake.Text(call.Status == CallStatus.Settled ? "yes" : "unknown")));

    private static JsonElement ProbeArguments(CallState call, JsonElement arguments) => JsonMake.Object(("input", arguments), ("key", Text(call.Key)));

    private static JsonElement Text(string? text) => text is null ? JsonMake.Null : JsonMake.Text(text);

    private static EffectSpec Effect(WorkflowPlan plan, CallState call)
    {
        var step = plan.Step(call.Id.Step)!;
        return step.OwnsCall ? step.Effect : plan.Tool(call.Tool)!.Spec.Effect;
    }

    private static ToolRequest? TryRenderOther(
        ExecutionState state, DecisionValues values, CallState call, string? name, string sub, string? key, JsonElement arguments, out string? problem)
    {
        if (name is null || values.Plan.Tool(name) is not { } tool)
        {
            problem = $"no tool is declared for this ({name ?? "none named"})";
            return null;
        }

        return TryRender(state, values, tool, arguments, key, $"{call.Id}~{sub}", tool.Spec.Timeout, out problem);
    }

    private static ToolRequest? TryRender(
        ExecutionState state, DecisionValues values, ToolPlan tool, JsonElement arguments, string? key, string effect, TimeSpan timeout, out string? problem)
    {
        var scope = new DecisionScope(state, values.Plan, values, state.CreatedMs) { Arguments = (arguments, tool.Spec.InputSchema), Secrets = true };
        problem = HoldsMarker(arguments) ? "the arguments hold a character that Omium keeps for itself (U+E000 or U+E001)" : null;
        string? url = null;
        if (problem is not null || (tool.Url is not null && (url = RenderText(tool.Url, scope, "url", ref problem, InUrl)) is null))
        {
            return null;
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, template) in tool.Headers)
        {
            if (RenderText(template, scope, $"header {name}", ref problem) is not { } value)
            {
                return null;
            }

            headers[name] = value;
        }

        JsonElement? body = null;
        if (tool.Body is { } bodyTemplate)
        {
            var rendered = bodyTemplate.Evaluate(scope);
            if (rendered.Value is null)
            {
                problem = $"body{rendered.Error?.Pointer}: {rendered.Error?.Error.Message}";
                return null;
            }

            body = rendered.Value;
        }
        else if (tool.Spec.Method is not ("GET" or "HEAD" or "DELETE"))
        {
            body = arguments;
        }

        return new ToolRequest
        {
            Tenant = state.Tenant,
            Tool = tool.Spec,
            Arguments = arguments,
            Url = url,
            Headers = headers,
            Body = body,
            IdempotencyKey = key,
            EffectId = $"{state.ExecutionId}/{effect}",
            Timeout = timeout,
        };
    }

    /// <summary>True when a value holds what marks a secret: it would be replaced by one when the request is sent.</summary>
    private static bool HoldsMarker(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsMarked(value.GetString()!),
        JsonValueKind.Object or JsonValueKind.Array => MayHoldMarker(value)
            && (value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Any(HoldsMarker) : value.EnumerateObject().Any(member => IsMarked(member.Name) || HoldsMarker(member.Value))),
        _ => false,
    };

    /// <summary>A look at the bytes that spares most values the walk: a marker is written as itself, which begins with 0xEE in UTF-8, or with an escape.</summary>
    private static bool MayHoldMarker(JsonElement value) => PayloadReference.BytesOf(value).IndexOfAny((byte)0xEE, (byte)'\\') >= 0;

    private static bool IsMarked(string text) => text.AsSpan().IndexOfAny(SecretMarker.Start, SecretMarker.End) >= 0;

    /// <summary>A value inside a URL stays within its segment or parameter (RFC 3986, section 2); a secret's marker is encoded by the runner.</summary>
    private static string InUrl(string text) => text.StartsWith(SecretMarker.Start) ? text : Uri.EscapeDataString(text);

    private static string? RenderText(Template template, DecisionScope scope, string place, ref string? problem, Func<string, string>? encode = null)
    {
        var result = template.Evaluate(scope, encode: encode);
        switch (result.Value)
        {
            case { ValueKind: JsonValueKind.String } text:
                return text.GetString();
            case { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } scalar:
                return scalar.GetRawText();
            default:
                problem = $"{place}: {result.Error?.Error.Message ?? "is not a text"}";
                return null;
        }
    }
}
