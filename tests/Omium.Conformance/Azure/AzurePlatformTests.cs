using System.Text.Json;
using Omium.Azure.Hosting;
using Omium.Runtime.Security;

namespace Omium.Conformance.Azure;

/// <summary>
/// A host as the Functions app puts it together (settings, platform, API without a server of its own), on a stand-in for Durable Functions. Two hosts
/// share one account.
/// </summary>
public sealed class AzurePlatformTests
{
    private const string Spec = """
        {"spec":{"omium":"v0","name":"greet","tools":{"work":{"type":"function","function":"noop","effect":{"kind":"none"}}},
         "steps":[{"id":"ask","type":"human_approval"},{"id":"done","type":"tool_call","tool":"work","needs":["ask"],"input":{"n":1}}]}}
        """;

    private readonly Dictionary<string, string?> settings = new()
    {
        [AzureSettings.StorageConnection] = AzuriteServer.ConnectionString(AzuriteServer.Shared.BlobPort, AzuriteServer.Shared.TablePort),
        [AzureSettings.StoragePrefix] = AzuriteBackend.NewPrefix(),
        [AzureSettings.MasterKey] = Convert.ToBase64String(Seal.NewKey()),
    };

    [Fact]
    public async Task Api_OfTwoHosts_StartsOnOneAndDecidesAndReadsOnTheOther()
    {
        await using var one = await AzureHost.StartAsync(settings);
        await using var two = await AzureHost.StartAsync(settings);
        var key = await one.NewKeyAsync();
        Assert.Equal(401, (await one.SendAsync("POST", "/v1/workflows", "Bearer none", Spec)).Status);
        var saved = await one.SendAsync("POST", "/v1/workflows", key, Spec);
        Assert.True(saved.Status == 201, saved.Answer.ToString());

        var (status, started) = await one.SendAsync("POST", "/v1/executions", key, """{"workflow":"greet","input":{}}""");
        Assert.Contains(status, new[] { 201, 202 });
        var id = started.GetProperty("id").GetString()!;
        var review = await two.UntilAsync("/v1/reviews", key, answer => answer.GetProperty("items").GetArrayLength() > 0);
        var open = review.GetProperty("items")[0];
        var decision = JsonSerializer.Serialize(new { decision = "approve", digest = open.GetProperty("digest").GetString() });
        Assert.Equal(200, (await two.SendAsync("POST", $"/v1/reviews/{open.GetProperty("id").GetString()}/decide", key, decision)).Status);

        var ended = await one.UntilAsync($"/v1/executions/{id}", key, answer => answer.GetProperty("status").GetString() == "succeeded");
        Assert.Equal(id, ended.GetProperty("id").GetString());
        Assert.Equal(id, (await two.SendAsync("GET", "/v1/executions", key, "")).Answer.GetProperty("items")[0].GetProperty("id").GetString());
    }

    [Theory]
    [InlineData(AzureSettings.MasterKey, "", "Set OMIUM_MASTER_KEY")]
    [InlineData(AzureSettings.MasterKey, "bm90IDMyIGJ5dGVz", "OMIUM_MASTER_KEY is not 32 bytes in base64.")]
    [InlineData(AzureSettings.MasterKey, "@Microsoft.KeyVault(SecretUri=https://x)", "could not be resolved")]
    [InlineData(AzureSettings.StorageConnection, "", "Set OMIUM_STORAGE_ACCOUNT")]
    [InlineData(AzureSettings.StorageConnection, "AccountName=a;AccountKey=c2VjcmV0!", "AccountKey in the storage connection string is not base64.")]
    [InlineData(AzureSettings.LifecycleTopic, "lifecycle", "set OMIUM_SERVICE_BUS_ADDRESS, too.")]
    public void Read_SettingMissingOrWrong_NamesItAndNotItsValue(string name, string value, string said)
    {
        settings[name] = value;
        var error = Assert.Throws<FormatException>(() => AzureSettings.Read(settings.GetValueOrDefault));

        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.True(value.Length < 12 || !error.ToString().Contains(value, StringComparison.Ordinal));
    }
}
