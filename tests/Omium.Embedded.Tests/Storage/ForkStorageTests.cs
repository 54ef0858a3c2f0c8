using System.Text;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.Storage;

/// <summary>A fork stores what it adds, and nothing of what it shares with its source: measured in the files of the data directory.</summary>
public sealed class ForkStorageTests
{
    private const int Turns = 200, MessageBytes = 4_000, Forks = 20;

    /// <summary>What a fork may cost beside what it adds: its own records, their index rows, the pages they lie in.</summary>
    private const double RatioMax = 2;

    private const string Thread = """
        omium: v0
        name: thread
        agents:
          reader: {prompt: Read on., tools: [look], max_turns: 200}
          writer: {prompt: Sum it up.}
        tools: {look: {type: function, function: look}}
        steps:
          - {id: read, type: agent_task, agent: reader}
          - {id: write, type: agent_task, agent: writer, needs: [read], input: {n: 1}}
        """;

    /// <summary>Twenty forks of the end, each with another prompt for the last step: each adds one message of 4 kB to 200.</summary>
    [Fact]
    public async Task Forks_OfAThreadOfTwoHundredTurns_StoreOnlyTheMessageTheyAdd()
    {
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        byte[] masterKey;
        await using (var rig = await Rig.OpenAsync(Talking(), directory))
        {
            masterKey = rig.MasterKey;
            Assert.Equal(ExecutionStatus.Succeeded, (await rig.RunAsync(Thread, id: "exe_source")).Status);
        }

        var before = BytesOf(directory);
        Assert.True(before > Turns * MessageBytes);
        await using (var rig = await Rig.OpenAsync(Talking(), directory, masterKey))
        {
            for (var fork = 1; fork <= Forks; fork++)
            {
                var edits = new ForkEdits(null, [new AgentChange("writer", new AgentEdit($"Sum it up, version {fork}.", null, null))], null);
                var state = await ForkAsync(rig, $"exe_fork_{fork}", null, edits);
                Assert.Equal([true, false], new[] { "read", "write" }.Select(step => state.LatestVisit(step)!.Inherited));
                Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(Rig.Stream($"exe_fork_{fork}")))!.Verdict);
            }
        }

        AssertRatio(BytesOf(directory) - before, Forks * MessageBytes);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>A fork between two turns of a conversation goes on with it: it stores the turns that follow, and reads those before.</summary>
    [Fact]
    public async Task Fork_InTheMiddleOfAConversation_StoresOnlyTheTurnsThatFollow()
    {
        const int At = 150;
        var directory = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        byte[] masterKey;
        long record;
        int turns, turnsBefore;
        await using (var rig = await Rig.OpenAsync(Talking(), directory))
        {
            masterKey = rig.MasterKey;
            turns = TurnsOf(await rig.RunAsync(Thread, id: "exe_source"));
            var records = await rig.Advancer.ReadAsync(Rig.Stream("exe_source"), 0, 10_000);
            record = records.First(entry => entry.Body.Events.OfType<CallSettled>().Any(call => call.Effect == $"read~1~1~c{At}")).Record.Seq;
            turnsBefore = TurnsOf(await rig.Advancer.StateAtAsync(Rig.Stream("exe_source"), record));
        }

        var before = BytesOf(directory);
        var asked = 0;
        await using (var rig = await Rig.OpenAsync(Talking(() => asked++), directory, masterKey))
        {
            var state = await ForkAsync(rig, "exe_fork", record, null);
            Assert.Equal(turns, TurnsOf(state));
            Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(Rig.Stream("exe_fork")))!.Verdict);
        }

        Assert.Equal(At, turnsBefore);
        Assert.Equal(turns - turnsBefore + 2, asked); // The rest of the thread, and the answer that ends each step.
        AssertRatio(BytesOf(directory) - before, asked * MessageBytes);
        Directory.Delete(directory, recursive: true);
    }

    private static int TurnsOf(ExecutionState state) => state.Visits.Values.Sum(visit => visit.Turns.Count);

    private static async Task<ExecutionState> ForkAsync(Rig rig, string id, long? at, ForkEdits? edits)
    {
        var source = (await rig.Advancer.FindAsync(Rig.Stream("exe_source")))!;
        var record = at ?? source.Seq;
        var last = Assert.Single(await rig.Advancer.ReadAsync(source.Stream, record - 1, 1)).Record;
        var fork = new ForkExecution(rig.Advancer.NowMs, id, "exe_source", record, Convert.ToHexStringLower(last.Hash), ForkModes.Sandbox, edits, 1, "rig", null);
        Assert.Null((await rig.Engine.SubmitAsync(Rig.Stream(id), fork)).Rejection);
        var state = await rig.WaitAsync(Rig.Stream(id), state => state.Ended || state.Status == ExecutionStatus.Paused);
        Assert.Equal(ExecutionStatus.Succeeded, state.Status);
        return state;
    }

    private static RigOptions Talking(Action? onAsked = null)
    {
        var random = new Random(7);
        return new RigOptions
        {
            Answer = request =>
            {
                onAsked?.Invoke();
                var turn = request.Messages.Count(message => message.Role == "assistant") + 1;
                var text = Text(random);
                return turn >= Turns || request.Tools.Count == 0
                    ? RigOptions.Says(text)
                    : new EffectOutcome
                    {
                        Answer = new ModelAnswer { Content = text, FinishReason = "tool_calls", ToolCalls = [new ModelToolCall($"call_{turn}", "look", $$"""{"page": {{turn}}}""")] },
                    };
            },
            Call = (_, _) => Task.FromResult(new EffectOutcome { Result = Rig.Json("\"ok\"") }),
        };
    }

    private static void AssertRatio(long stored, long useful)
    {
        var ratio = stored / (double)useful;
        TestContext.Current.TestOutputHelper?.WriteLine($"useful {useful:N0} bytes, stored {stored:N0}: {ratio:0.00}x");
        Assert.InRange(ratio, 0, RatioMax);
    }

    /// <summary>After the store was closed, which empties the log into the database.</summary>
    private static long BytesOf(string directory) => Directory.EnumerateFiles(directory).Sum(file => new FileInfo(file).Length);

    /// <summary>Printable text that no compressor can do much with.</summary>
    private static string Text(Random random)
    {
        var text = new StringBuilder(MessageBytes);
        while (text.Length < MessageBytes)
        {
            var next = (char)random.Next(' ', 0x7f);
            text.Append(next is '"' or '\\' ? ' ' : next);
        }

        return text.ToString();
    }
}
