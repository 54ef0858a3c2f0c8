using System.Globalization;
using Omium.Kernel.Text;

namespace Omium.Kernel.Expressions;

/// <summary>
/// Functions of Omium's own, for guards: what an answer states that its sources do not say, what it leaves out, whether a value is missing, and
/// how the calls that were made compare with a plan. The short forms of guards are written with them.
/// </summary>
internal static class GuardFunctions
{
    /// <summary>Most facts that an answer lists: enough to see what is wrong.</summary>
    private const int ListedMax = 20;

    public static void AddTo(FunctionTable table)
    {
        table.Global("ungrounded", "any any -> list", Ungrounded);
        table.Global("unused", "any any -> list", Unused);
        table.Global("blank", "any -> bool", call => CelBool.Of(IsBlank(call.Arguments[0])));
        table.Global("planned", "any any any -> bool", Planned);
        table.Global("undone", "any any -> list", Undone);
    }

    /// <summary>Numbers, identifiers and names in the first value that the second does not say, as they are written.</summary>
    private static CelValue Ungrounded(Call call)
    {
        var index = new FactIndex();
        if (!index.TryAdd(call.Arguments[1], call, out var failure))
        {
            return failure!;
        }

        var missing = new List<string>();
        return Walk(call.Arguments[0], call, fact => Note(missing, fact, index.Says(fact, call.Evaluation)), (_, _) => { }) ?? List(missing, call);
    }

    /// <summary>What the first value says and the second does not: its numbers, identifiers and names; a text of at most five words as a whole.</summary>
    private static CelValue Unused(Call call)
    {
        const int PhraseWordsMax = 5;
        var index = new FactIndex();
        if (!index.TryAdd(call.Arguments[1], call, out var failure))
        {
            return failure!;
        }

        var missing = new List<string>();
        void Phrase(string text, bool hasFacts)
        {
            var words = FactScanner.Words(text);
            if (!hasFacts && words.Count is > 0 and <= PhraseWordsMax)
            {
                Note(missing, new Fact(FactKind.Name, text.Trim(), [.. words.Select(word => word.Key)]), index.SaysInARow([.. words.Select(word => word.Key)], call.Evaluation));
            }
        }

        return Walk(call.Arguments[0], call, fact => Note(missing, fact, index.Says(fact, call.Evaluation)), Phrase) ?? List(missing, call);
    }

    private static void Note(List<string> missing, Fact fact, bool isSaid)
    {
        if (!isSaid && missing.Count < ListedMax && !missing.Contains(fact.Written))
        {
            missing.Add(fact.Written);
        }
    }

    private static CelValue List(List<string> texts, Call call) =>
        call.Evaluation.BuildItems(texts.Count, call.Offset) ?? (CelValue)CelList.Of([.. texts.Select(text => new CelString(text))]);

    /// <summary>Finds every fact in a value; names of members are not looked at. The failure when a part cannot be read or the cost limit is passed.</summary>
    private static CelFailure? Walk(CelValue value, Call call, Action<Fact> found, Action<string, bool> text)
    {
        if (!call.Evaluation.Spend(1))
        {
            return call.Evaluation.Exhausted(call.Offset);
        }

        switch (value)
        {
            case OpaqueMap opaque:
                return opaque.Failure;
            case CelFailure failure:
                return failure;
            case CelMap map:
                return map.Keys.Select(key => Walk(map.TryGet(key, out var inner) ? inner : CelNull.Instance, call, found, text)).FirstOrDefault(failure => failure is not null);
            case CelList list:
                return Enumerable.Range(0, list.Count).Select(index => Walk(list[index], call, found, text)).FirstOrDefault(failure => failure is not null);
            case CelString written:
                if (!call.Evaluation.Spend(written.Value.Length / 4))
                {
                    return call.Evaluation.Exhausted(call.Offset);
                }

                var facts = FactScanner.Facts(written.Value);
                facts.ForEach(found);
                text(written.Value, facts.Count > 0);
                return null;
            default:
                if (FactIndex.Number(value) is { } number)
                {
                    found(new Fact(FactKind.Number, CelText.Display(value), [number]));
                }

                return null;
        }
    }

    /// <summary>Null, a text of white space only, an empty list or an empty object.</summary>
    private static bool IsBlank(CelValue value) => value switch
    {
        CelNull => true,
        CelString text => string.IsNullOrWhiteSpace(text.Value),
        OpaqueMap => false,
        CelList list => list.Count == 0,
        CelMap map => map.Count == 0,
        _ => false,
    };

    /// <summary>
    /// Whether a call is in a plan that is not used up: <c>planned(call, calls made before, plan)</c>. An entry that is a text, or has no arguments,
    /// allows its tool any number of times; one with arguments allows one call that has those members.
    /// </summary>
    private static CelValue Planned(Call call)
    {
        var (made, plan) = (Items(call.Arguments[1]), Items(call.Arguments[2]));
        var free = plan.ToList();
        foreach (var earlier in made)
        {
            if (Entry(free, earlier, call, out var failure) is { } used && Arguments(used) is not null)
            {
                free.Remove(used);
            }
            else if (failure is not null)
            {
                return failure;
            }
        }

        var fits = Entry(free, call.Arguments[0], call, out var problem);
        return problem is not null ? problem : CelBool.Of(fits is not null);
    }

    /// <summary>What a plan names and no successful call did: <c>undone(calls made, plan)</c>. Entries with <c>optional: true</c> need not be done.</summary>
    private static CelValue Undone(Call call)
    {
        var made = Items(call.Arguments[0]).Where(item => Member(item, "ok") is CelBool { Value: true }).ToList();
        var open = new List<string>();
        foreach (var entry in Items(call.Arguments[1]).Where(entry => Member(entry, "optional") is not CelBool { Value: true }))
        {
            var done = default(CelValue);
            foreach (var item in made)
            {
                if (Fits(entry, item, call, out var failure))
                {
                    done = item;
                    break;
                }

                if (failure is not null)
                {
                    return failure;
                }
            }

            if (done is null)
            {
                open.Add(Tool(entry));
            }
            else if (Arguments(entry) is not null)
            {
                made.Remove(done);
            }
        }

        return List(open, call);
    }

    /// <summary>The first entry that allows a call: one with arguments before one without.</summary>
    private static CelValue? Entry(List<CelValue> plan, CelValue made, Call call, out CelFailure? failure)
    {
        failure = null;
        foreach (var entry in plan.OrderBy(entry => Arguments(entry) is null))
        {
            if (Fits(entry, made, call, out failure))
            {
                return entry;
            }

            if (failure is not null)
            {
                return null;
            }
        }

        return null;
    }

    private static bool Fits(CelValue entry, CelValue made, Call call, out CelFailure? failure)
    {
        failure = call.Evaluation.Spend(1) ? null : call.Evaluation.Exhausted(call.Offset);
        if (failure is not null || Tool(entry) != Tool(made))
        {
            return false;
        }

        if (Arguments(entry) is not { } wanted)
        {
            return true;
        }

        foreach (var key in wanted.Keys)
        {
            _ = wanted.TryGet(key, out var value);
            if (Member(made, "arguments") is not CelMap given || !given.TryGet(key, out var actual))
            {
                return false;
            }

            var equal = call.Evaluation.AreEqual(value, actual, call.Offset);
            if (equal is CelFailure exhausted)
            {
                failure = exhausted;
                return false;
            }

            if (equal is not CelBool { Value: true })
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<CelValue> Items(CelValue value) => value is CelList list ? Enumerable.Range(0, list.Count).Select(index => list[index]) : [];

    private static string Tool(CelValue entry) => entry is CelString name ? name.Value : Member(entry, "tool") is CelString tool ? tool.Value : string.Create(CultureInfo.InvariantCulture, $"({entry.Type.Name})");

    private static CelMap? Arguments(CelValue entry) => Member(entry, "arguments") as CelMap;

    private static CelValue? Member(CelValue value, string name) => value is CelMap map && map.TryGet(new CelString(name), out var member) ? member : null;
}
