using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Embedded.Tests.Scale;

/// <summary>Snapshots are only a cache: with the records after it, a snapshot gives what a fold from the first record gives, at every place.</summary>
public sealed class SnapshotTests
{
    private const string Spec = """
        omium: v0
        name: counting
        tools: {work: {type: function, function: work, effect: {kind: none}}}
        steps:
          - {id: begin, type: decision, input: {n: 0}}
          - {id: work, type: tool_call, tool: work, needs: [begin], input: {n: "${{ has(steps.work) ? steps.work.output.n + 1 : 1 }}"}, output: {schema: {type: object, properties: {n: {type: integer}}}}}
        edges: [{from: work, to: work, when: "output.n < input.until", max_visits: 10000}]
        """;

    [Fact]
    public async Task StateAt_EveryRecord_EqualsTheFullFold()
    {
        await using var rig = await Rig.OpenAsync();
        var ended = await rig.RunAsync(Spec, """{"until": 900}""");
        var stream = Rig.Stream(ended.ExecutionId);
        var state = ExecutionState.Empty;
        var places = 0;
        for (var after = 0L; ; after += 100)
        {
            var page = await rig.Advancer.ReadAsync(stream, after, 100);
            foreach (var (record, body) in page)
            {
                state = ExecutionKernel.Fold(state, body);
                if (record.Seq % 37 == 0 || record.Seq % StateSnapshots.Interval is 0 or 1 or StateSnapshots.Interval - 1)
                {
                    Assert.Equal(Told(state), Told(await rig.Advancer.StateAtAsync(stream, record.Seq)));
                    places++;
                }
            }

            if (page.Count < 100)
            {
                break;
            }
        }

        Assert.InRange(places, 30, int.MaxValue);
        Assert.Equal(Told(ended), Told(state));
    }

    /// <summary>Of a history of 10,000 events, any place is seen in under 50 ms; the first look of all, which folds from the beginning, is measured apart.</summary>
    [Fact]
    public async Task StateAt_OfTenThousandEvents_IsSeenInUnderFiftyMilliseconds()
    {
        await using var rig = await Rig.OpenAsync();
        var ended = await rig.RunAsync(Spec, """{"until": 2500}""");
        var stream = Rig.Stream(ended.ExecutionId);
        var advancer = new Advancer(rig.Store.Log, rig.Store.Payloads, new PlanCache(rig.Store.Documents), new Runtime.Security.LocalKeyWrap(rig.MasterKey), TimeProvider.System);
        var since = Stopwatch.GetTimestamp();
        var last = (await advancer.FindAsync(stream))!.Seq;
        var first = Stopwatch.GetElapsedTime(since);
        var events = 0;
        for (var after = 0L; after < last; after += 1_000)
        {
            events += (await advancer.ReadAsync(stream, after, 1_000)).Sum(entry => entry.Body.Events.Count);
        }

        var slowest = TimeSpan.Zero;
        for (var at = 1L; at <= last; at += last / 50)
        {
            var took = TimeSpan.MaxValue;
            for (var tries = 0; tries < 3; tries++) // Others use the machine too.
            {
                since = Stopwatch.GetTimestamp();
                await advancer.StateAtAsync(stream, at);
                took = Stopwatch.GetElapsedTime(since) is var once && once < took ? once : took;
            }

            slowest = took > slowest ? took : slowest;
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{events:N0} events in {last:N0} records: first look {first.TotalMilliseconds:0} ms, then at most {slowest.TotalMilliseconds:0.0} ms"));
        Assert.InRange(events, 10_000, int.MaxValue);
        Assert.InRange(slowest.TotalMilliseconds, 0, 50);
    }

    /// <summary>A state in full, members by name and dictionaries by key, so that two that are equal read the same.</summary>
    private static string Told(object? value)
    {
        var text = new StringBuilder();
        Tell(value, text);
        return text.ToString();
    }

    private static void Tell(object? value, StringBuilder text)
    {
        switch (value)
        {
            case null:
                text.Append("null");
                break;
            case JsonElement element:
                text.Append(element.ValueKind == JsonValueKind.Undefined ? "undefined" : element.GetRawText());
                break;
            case string or ValueType and (IConvertible or Enum or VisitKey or EffectId):
                text.Append(CultureInfo.InvariantCulture, $"{value}");
                break;
            case VisitDictionary visits:
                TellAll(visits.Select(visit => $"{visit.Key}: {Told(visit.Value)}").Order(StringComparer.Ordinal), text);
                break;
            case IDictionary map:
                TellAll(map.Keys.Cast<object>().Select(key => $"{key}: {Told(map[key])}").Order(StringComparer.Ordinal), text);
                break;
            case IEnumerable items when value.GetType().Name.StartsWith("ImmutableHashSet", StringComparison.Ordinal):
                TellAll(items.Cast<object>().Select(Told).Order(StringComparer.Ordinal), text);
                break;
            case IEnumerable items:
                TellAll(items.Cast<object>().Select(Told), text);
                break;
            default:
                var members = value.GetType().GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public);
                TellAll(members.Select(member => $"{member.Name}: {Told(member.GetValue(value))}"), text);
                break;
        }
    }

    private static void TellAll(IEnumerable<string> parts, StringBuilder text) => text.Append('{').AppendJoin(", ", parts).Append('}');
}
