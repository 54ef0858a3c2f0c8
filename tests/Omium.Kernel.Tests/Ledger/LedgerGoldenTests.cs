using System.Text;
using Omium.Kernel.Ledger;
using Xunit;

namespace Omium.Kernel.Tests.Ledger;

/// <summary>A ledger's history as stored, byte for byte: what was once written is read the same for ever.</summary>
public sealed class LedgerGoldenTests
{
    [Fact]
    public void History_EveryEventOfALedger_IsTheSameBytes()
    {
        var path = Path.Combine(Folder(), "ledger.jsonl");
        var records = Played().Records;
        if (Environment.GetEnvironmentVariable("OMIUM_GOLDEN") == "write" && !File.Exists(path))
        {
            File.WriteAllText(path, string.Concat(records.Select(record => Encoding.UTF8.GetString(record) + "\n")));
        }

        Assert.Equal(File.ReadAllLines(path), records.Select(record => Encoding.UTF8.GetString(record)));
        var state = LedgerState.Empty;
        foreach (var line in File.ReadAllLines(path))
        {
            state = LedgerKernel.Fold(state, LedgerJson.Deserialize(Encoding.UTF8.GetBytes(line)));
        }

        Assert.Equal(0, state.Accounts.Sum());
    }

    private static LedgerHarness Played()
    {
        const long Checkpoint = Credits.CheckpointMicro;
        var ledger = LedgerHarness.Open(new PlanTerms("starter", 10 * Checkpoint, 1), welcomeCredits: 20);
        ledger.Post(new SetKeyCap("key_a", 1_000 * Credits.MicroPerCredit));
        ledger.PostAll(
            new ReserveCredits("exe_1", 1, "key_a", 12 * Checkpoint, 12 * Checkpoint), new ReserveCredits("exe_2", 1, null, 100 * Checkpoint, 100 * Checkpoint),
            new ReserveCredits("exe_1/a~1~1~m1", 1, "key_a", Credits.MicroPerCredit, Credits.MicroPerCredit, new TokenPrice("gpt-4o", 1, 3_000_000_000, 12_000_000_000)));
        ledger.PostAll(new SettleCredits("exe_1/a~1~1~m1", 2, 0, 0, 1_000, 2_000), new SettleCredits("exe_1", 1, 11 * Checkpoint, Checkpoint));
        ledger.NowMs = LedgerHarness.DecemberMs;
        ledger.Post(new SettleCredits("exe_1", 1, 11 * Checkpoint));
        ledger.Post(new TopUpCredits("cs_1", 2_000));
        ledger.Post(new AdjustCredits("a1", -Credits.MicroPerCredit, "charged back", "ops"));
        ledger.Post(new ChangePlan(new PlanTerms("enterprise", null, 0)));
        ledger.Post(new SettleCredits("exe_3", ledger.Reserve("exe_3", Checkpoint, 4 * Checkpoint).Token, Checkpoint));
        return ledger;
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
