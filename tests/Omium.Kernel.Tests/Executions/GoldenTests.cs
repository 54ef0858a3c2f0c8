using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.Flow;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>
/// Frozen histories: what was written once must re-decide to the same bytes for as long as the kernel's version stands. The histories are
/// append-only; OMIUM_GOLDEN=write writes those that do not exist yet and never changes one that does.
/// </summary>
public sealed class GoldenTests
{
    private static readonly Dictionary<string, Func<KernelHarness>> Runs = new()
    {
        ["company-x"] = CompanyX,
        ["retry"] = () => Driven(Flow.Of(Call("a"), recovery: """{"retry_policy": {"max_retries": 3, "backoff": "exponential(1s, 10s)"}}"""), (_, effect) => effect == "a~1~3~c1" ? Ok("{}") : Fails("timeout", "x")),
        ["loop"] = () => Driven(Flow.Of(string.Join(',', Call("a"), Call("b", "a")), Edge("b", "a", "\"when\": \"output.n > 5\", \"max_visits\": 3")), Numbers(1, 9, 2, 9, 3, 1)),
        ["rollback"] = Rollback,
        ["in-doubt"] = InDoubt,
        ["approval"] = Approved,
        ["fork"] = Forked,
        ["child"] = WithChild,
        ["correction"] = Corrected,
        ["migration"] = Moved,
        ["conduct"] = Conduct,
        ["for-each"] = ForEach,
        ["handoff"] = HandedOver,
        ["verifiers"] = Verified,
        ["traced"] = TracedTests.Told,
    };

    public static TheoryData<string> Names => [.. Runs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void History_Frozen_ReDecidesByteIdentically(string name)
    {
        var harness = Runs[name]();
        var path = Path.Combine(Folder(), $"{name}.jsonl");
        WriteIfAsked(path, harness.Log);
        var frozen = File.ReadAllLines(path).Select(Encoding.UTF8.GetBytes).ToArray();
        Laws.Check(frozen, harness.FirstPlan, harness.Payloads, harness.Base, harness.Plan);
        Assert.Equal(frozen.Select(Encoding.UTF8.GetString), harness.Log.Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public void Catalogue_EveryEventAndCommand_IsWrittenAsFrozen()
    {
        var lines = Kinds(typeof(ExecutionCommand)).Concat(Kinds(typeof(ExecutionEvent))).Select(kind => Serialized(kind))
            .Order(StringComparer.Ordinal).Select(Encoding.UTF8.GetBytes).ToArray(); // The order of the attributes is that of the files, which a machine chooses.
        var path = Path.Combine(Folder(), "catalogue.jsonl");
        WriteIfAsked(path, lines);
        var frozen = File.ReadAllLines(path);
        Assert.Equal(frozen.Order(StringComparer.Ordinal), lines.Select(Encoding.UTF8.GetString));
        Assert.All(frozen, line => Assert.Equal(line, Encoding.UTF8.GetString(KernelJson.Serialize(KernelJson.Deserialize(Encoding.UTF8.GetBytes(line))))));
    }

    private static IEnumerable<Type> Kinds(Type root) => root.GetCustomAttributes<JsonDerivedTypeAttribute>().Select(derived => derived.DerivedType);

    private static string Serialized(Type kind)
    {
        var filled = Fill(kind);
        var body = filled is ExecutionCommand command ? new RecordBody(command, []) : new RecordBody(new WakeTimers(1), [(ExecutionEvent)filled!]);
        return Encoding.UTF8.GetString(KernelJson.Serialize(body));
    }

    /// <summary>A value of a type with every member set to something that is not its default, so that every name is written.</summary>
    private static object? Fill(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
        {
            return "text";
        }

        if (type == typeof(JsonElement))
        {
            return KernelHarness.Json("""{"a":1}""");
        }

        if (type.IsPrimitive)
        {
            return type == typeof(bool) ? true : Convert.ChangeType(7, type);
        }

        if (type.IsEnum)
        {
            return Enum.GetValues(type).GetValue(1);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            var items = Array.CreateInstance(type.GetGenericArguments()[0], 1);
            items.SetValue(Fill(type.GetGenericArguments()[0]), 0);
            return items;
        }

        var constructor = type.GetConstructors().OrderByDescending(candidate => candidate.GetParameters().Length).First(candidate => candidate.GetParameters() is not [{ } only] || only.ParameterType != type);
        var value = constructor.Invoke([.. constructor.GetParameters().Select(parameter => Fill(parameter.ParameterType))]);
        var named = constructor.GetParameters().Select(parameter => parameter.Name).ToHashSet();
        foreach (var property in type.GetProperties().Where(property => property.CanWrite && !named.Contains(property.Name)))
        {
            property.SetValue(value, Fill(property.PropertyType));
        }

        return value;
    }

    private static KernelHarness CompanyX()
    {
        var apr = "0";
        EffectOutcome Answer(string what, string effect) => what switch
        {
            "kyc" => Says("""{"verified": true}"""), "score" => Says("""{"credit_score": 750, "risk_level": "low"}"""), "terms" => Says($$"""{"apr": {{apr}}}"""), _ => Ok("""{"ok": true}"""),
        };
        var harness = new KernelHarness(CompanyXTests.Spec);
        harness.Start("""{"customer_id": "c-42"}""");
        harness.Run(Answer);
        apr = "5.2";
        harness.Decide("edit", new AgentEdit("APR must be between 2.5 % and 8.5 %, never 0 %", null, null));
        harness.Run(Answer);
        return harness;
    }

    private static KernelHarness Rollback()
    {
        var harness = Driven(Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a", tool: "book"))), Numbers(1));
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "start", "all"));
        harness.Run((_, effect) => effect == "b~1~1~c1~u1" ? Fails("tool_error", "x") : Ok("{}"));
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_2"));
        harness.Run(Numbers(2));
        return harness;
    }

    /// <summary>Four items, two at a time: one is tried again, one bounces and is undone alone, one is lost in the middle and probed.</summary>
    private static KernelHarness ForEach()
    {
        var harness = Flow.Of(Call("send", tool: "book", more: """, "for_each": {"items": "input.mails", "max_parallel": 2, "max_failed_ratio": 0.5}, "input": {"to": "${{ item }}", "n": "${{ item_index }}"}, "guards": {"post": [{"check": "!has(output.bounced)", "code": "bounced"}]}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s", "condition": "same_failure_not_detected_twice"}"""));
        harness.Start("""{"mails": ["a", "b", "c", "d"]}""");
        harness.Begin("send-0~1~1~c1");
        harness.Send(new LoseRunner(harness.NowMs, "runner-2"));
        harness.Run((name, effect) => name switch
        {
            "verify book" => Ok("""{"status": "done", "output": {"ok": true}}"""),
            "undo book" => Ok("{}"),
            _ => effect is "send-1~1~1~c1" ? Fails("rate_limited", "http_429") : Ok(effect.StartsWith("send-2", StringComparison.Ordinal) ? """{"bounced": true}""" : """{"ok": true}"""),
        });
        return harness;
    }

    private static KernelHarness InDoubt()
    {
        var harness = Flow.Of(string.Join(',', Call("a", tool: "book"), Call("b", "a", tool: "pay")));
        harness.Start();
        harness.Begin("a~1~1~c1");
        harness.Send(new LoseRunner(harness.NowMs, "runner-2"));
        harness.Run((name, _) => name == "verify book" ? Ok("""{"status": "not_done"}""") : Ok("""{"n": 1}"""));
        return harness;
    }

    /// <summary>Guards that compare what was said with what was given: how words are taken apart is frozen with it.</summary>
    private static KernelHarness Conduct()
    {
        var harness = Flow.Of(
            string.Join(
                ',', Agent("made_up", "", ", \"guards\": {\"post\": [{\"grounded\": [\"output\"], \"code\": \"hallucination\"}]}"),
                Agent("left_out", "", ", \"guards\": {\"post\": [{\"uses\": [\"input.customer\", \"input.amount\"]}]}"),
                Agent("planned", "", ", \"plan\": \"turn\""), Agent("repeats")),
            recovery: """{"rules": [{"on": [], "do": ["skip"]}]}""");
        harness.Start("""{"customer": {"first": "Ada", "last": "Lovelace"}, "amount": 1250.5, "note": "Zürich, 2026-11-21, order INV-2041 at 4.5 %"}""");
        harness.Answer("made_up~1~1~m1", "Ada Lovelace of ZU\u0308RICH pays 1,250.50 at 0.045 for inv-2041 on 2026-11-22, says Bob Smith of ACME “in full”.");
        harness.Answer("left_out~1~1~m1", "Ada pays 1250,5 soon.");
        var turn = Asks(("pay", """{"amount": 20}"""));
        harness.Settle("planned~1~1~m1", turn with { Answer = turn.Answer! with { Content = """First: {"plan": [{"tool": "pay", "arguments": {"amount": 2}}]}""" } });
        harness.Settle("repeats~1~1~m1", Asks(("pay", """{"amount": 5}"""), ("book", "{}")));
        harness.Begin("repeats~1~1~c1");
        harness.Result("repeats~1~1~c1", "{}");
        harness.Settle("repeats~1~1~m2", Asks(("pay", """{"amount": 5}""")));
        Assert.Equal(
            ["hallucination", "ignored_input", "reasoning_action_mismatch", "step_repetition"], harness.Events.OfType<StepFailed>().Select(failed => failed.Class));
        return harness;
    }

    private static KernelHarness Approved()
    {
        var harness = Flow.Of(string.Join(',', Approval("ask"), Agent("a", "ask")));
        harness.Start();
        harness.Decide("approve");
        harness.Settle("a~1~1~m1", Asks(("wire", """{"to": "x"}""")));
        harness.Decide("approve");
        harness.Run((name, _) => name == "a" ? Says("done") : Ok("""{"sent": true}"""));
        return harness;
    }

    private static KernelHarness HandedOver()
    {
        const string Claims = """ "handoff": {"claims": {"records": {"said": "output.count", "seen": {"tool": "look", "value": "output.n"}}, "size": {"said": "2", "seen": "size(output.items)"}}} """;
        var harness = Flow.Of(string.Join(',', Call("a"), Call("b")), Edge("a", "b", Claims));
        harness.Start();
        harness.Result("a~1~1~c1", """{"count": 100, "items": [1, 2]}""");
        harness.Result("a~1~1~h1~k1", """{"n": 47}""");
        harness.Decide("repeat");
        harness.Result("a~1~2~h1~k1", """{"n": 48}""");
        harness.Decide("rollback");
        harness.Result("a~2~1~c1", """{"count": 48, "items": [1, 2]}""");
        harness.Result("a~2~1~h1~k1", """{"n": 48}""");
        harness.Run((_, _) => Ok("{}"));
        return harness;
    }

    private static KernelHarness Verified()
    {
        var harness = Flow.Of(Agent("a", more: """, "verifiers": {"of": ["spare", "two", "three"]}, "retry": {"max_attempts": 2, "backoff": "constant", "initial": "1s", "max": "1s"}"""));
        harness.Start();
        harness.Answer("a~1~1~m1", """{"n": 1}""");
        harness.Answer("a~1~1~j1~t1", """{"verdict": "reject", "reason": "low"}""");
        harness.Answer("a~1~1~j3~t1", """{"verdict": "reject", "reason": "too low"}""");
        harness.Answer("a~1~1~j2~t1", """{"verdict": "approve", "reason": "late"}""");
        harness.NowMs += 2_000;
        harness.Answer("a~1~2~m1", """{"n": 2}""");
        harness.Answer("a~1~2~j1~t1", """{"verdict": "approve", "reason": "good"}""");
        harness.Answer("a~1~2~j2~t1", """{"verdict": "reject", "reason": "odd"}""");
        harness.Answer("a~1~2~j3~t1", "no verdict");
        harness.NowMs += 2_000;
        harness.Answer("a~1~2~j3~t2", """{"verdict": "abstain", "reason": "unsure"}""");
        harness.Decide("approve");
        return harness;
    }

    private static KernelHarness WithChild()
    {
        var harness = Flow.Of(string.Join(',', Call("a"), """{"id": "w", "type": "workflow", "workflow": "other", "needs": ["a"]}"""));
        harness.Start();
        harness.CarryOut(harness.Pending[0], Numbers(1));
        harness.Send(new RecordChildStarted(harness.NowMs, "w~1~1~c1", 3, "spec"));
        harness.Result("w~1~1~c1", """{"ok": true}""");
        harness.Send(new RollBackExecution(harness.NowMs, "ada", "req_1", "a", "all"));
        harness.Result("w~1~1~c1~u1", "{}");
        return harness;
    }

    /// <summary>Moved while a step is paid for and a person is asked: one step is other, one is new between settled ones, an edge hands over.</summary>
    private static KernelHarness Moved()
    {
        const string Agreed = """ "handoff": {"claims": {"n": {"said": "output.n", "seen": "output.n"}}} """;
        var harness = Driven(Flow.Of(string.Join(',', Call("a", tool: "pay"), Call("b", "a"), Approval("c", "b"))), Numbers(1, 2));
        harness.Send(new PauseExecution(harness.NowMs, "ada", "req_1", null));
        var next = Flow.Of(string.Join(',', Call("a", tool: "pay", more: Guard("true")), Call("b", "a", Guard("output.n < 5")), Call("between"), Approval("c", "b")), Edge("a", "between", Agreed)).Plan;
        var difference = MigrationDifference.Between(harness.State, harness.Plan, next, 2, "next");
        Assert.True(harness.Migrate(new MigrateExecution(harness.NowMs, "ada", "req_2", 2, "next", difference.Digest, ["b"]), next).Accepted);
        harness.Send(new ResumeExecution(harness.NowMs, "ada", "req_3"));
        harness.Run(Numbers(3, 4));
        harness.Decide("approve");
        harness.Run(Numbers(5));
        return harness;
    }

    private static KernelHarness Corrected()
    {
        var harness = Driven(Flow.Of(string.Join(',', Call("a"), Call("b", "a", Guard("output.n < 5")), Call("side"))), (_, effect) => Ok(effect[0] == 'b' ? """{"n": 9}""" : """{"n": 1}"""));
        harness.Send(new RetryExecution(harness.NowMs, "ada", "req_1", "a", null, new StepChange("a", null, KernelHarness.Json("""{"n": 2}"""))));
        harness.Run(Numbers(3));
        return harness;
    }

    private static KernelHarness Forked()
    {
        var source = Driven(Flow.Of(string.Join(',', Call("a"), Call("b", "a", tool: "pay"), Call("c", "b"))), Numbers(1, 2, 3));
        var (fork, _) = source.Fork(source.Log.Count, new ForkEdits(null, null, [new StepChange("a", null, KernelHarness.Json("""{"n": 9}"""))]));
        fork.Settle("b~2~1~c1", Fails("tool_error", "not_recorded", permanent: true));
        fork.Decide("answer", output: """{"n": 8}""");
        fork.Run(Numbers(7));
        return fork;
    }

    private static KernelHarness Driven(KernelHarness harness, Func<string, string, EffectOutcome> carryOut)
    {
        harness.Start();
        harness.Run(carryOut);
        return harness;
    }

    private static void WriteIfAsked(string path, IReadOnlyList<byte[]> lines)
    {
        if (Environment.GetEnvironmentVariable("OMIUM_GOLDEN") == "write" && !File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, string.Concat(lines.Select(line => Encoding.UTF8.GetString(line) + "\n")));
        }
    }

    private static string Folder()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent;
        }

        Assert.True(directory is not null, "the repository's root (Omium.slnf) is not above the test");
        return Path.Combine(directory!.FullName, "tests", "golden", "kernel");
    }
}
