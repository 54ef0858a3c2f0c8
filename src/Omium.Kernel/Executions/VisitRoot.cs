using System.Text;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;

namespace Omium.Kernel.Executions;

/// <summary>
/// The root <c>visit</c> of guards: what the visit was given, and the calls of its current attempt in the order asked. A call is
/// <c>{tool, arguments, turn, ok, result}</c>; <c>ok</c> is true once it has succeeded, <c>result</c> is null before. What was refused is not there.
/// </summary>
internal static class VisitRoot
{
    public static CelValue Of(VisitState visit, Func<JsonElement, CelValue> read) => new LazyCelMap(
        name => name switch
        {
            "input" => read(visit.Input),
            "number" => CelInt.Of(visit.Key.Visit),
            "attempt" => CelInt.Of(visit.Attempt),
            "calls" => CelList.Of([.. visit.CurrentCalls.Where(call => call.Status != CallStatus.Refused).Select(call => Call(call, read))]),
            "plan" => DeclaredPlan(visit) is { } plan ? CelValue.FromJson(plan) : CelNull.Instance,
            _ => null,
        },
        () => ["attempt", "calls", "input", "number", "plan"]);

    /// <summary>
    /// The plan that the agent declared last in this attempt: the member <c>plan</c> (a list) of the first JSON object in the message of the newest
    /// turn that has one.
    /// </summary>
    public static JsonElement? DeclaredPlan(VisitState visit)
    {
        for (var index = visit.Turns.Count - 1; index >= 0; index--)
        {
            if (PlanIn(visit.Turns[index].Content) is { } plan)
            {
                return plan;
            }
        }

        return null;
    }

    private static JsonElement? PlanIn(string? content)
    {
        var from = content?.IndexOf('{', StringComparison.Ordinal) ?? -1;
        if (from < 0 || EndOfObject(content!, from) is not { } end)
        {
            return null;
        }

        var isPlan = CanonicalJson.TryParse(Encoding.UTF8.GetBytes(content![from..end]), out var said, out _)
            && said.TryGetProperty("plan", out var plan) && plan.ValueKind == JsonValueKind.Array;
        return isPlan ? said.GetProperty("plan") : null;
    }

    /// <summary>The end of the object that begins at a brace, by counting braces outside of texts; null when it does not end.</summary>
    private static int? EndOfObject(string content, int from)
    {
        var (depth, inText) = (0, false);
        for (var index = from; index < content.Length; index++)
        {
            switch (content[index])
            {
                case '\\' when inText:
                    index++;
                    break;
                case '"':
                    inText = !inText;
                    break;
                case '{' when !inText:
                    depth++;
                    break;
                case '}' when !inText && --depth == 0:
                    return index + 1;
            }
        }

        return null;
    }

    private static LazyCelMap Call(CallState call, Func<JsonElement, CelValue> read) => new LazyCelMap(
        name => name switch
        {
            "tool" => new CelString(call.Tool),
            "arguments" => read(call.Arguments),
            "turn" => CelInt.Of(call.Turn),
            "ok" => CelBool.Of(call.Status == CallStatus.Settled),
            "result" => call is { Status: CallStatus.Settled, Result: { } result } ? read(result) : CelNull.Instance,
            _ => null,
        },
        () => ["arguments", "ok", "result", "tool", "turn"]);
}
