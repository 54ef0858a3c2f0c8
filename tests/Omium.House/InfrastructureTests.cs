using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Omium.House;

/// <summary>
/// What of the deployment templates can be checked without a Bicep compiler: modules, their parameters and outputs, the settings that the program
/// reads, the roles that it needs. It is no proof that Azure takes them.
/// </summary>
public sealed partial class InfrastructureTests
{
    private const string Main = "infra/main.bicep", Functions = "infra/modules/functions.bicep";

    // For a machine of one's own, and never set by a deployment; and those that Functions' own options bring.
    private static readonly string[] LocalSettings = ["OMIUM_STORAGE_CONNECTION", "OMIUM_SERVICE_BUS_CONNECTION", "OMIUM_STORAGE_PREFIX", "OMIUM_STRIPE_ADDRESS", "OMIUM_PAYMENT_WEBHOOK_SECRET"];

    [Fact]
    public void Modules_OfTheDeployment_AreThereAndGetWhatTheyAskFor()
    {
        var findings = new List<string>();
        var used = new HashSet<string>();
        foreach (var (name, path, body) in Modules())
        {
            if (!Repository.Contains(path))
            {
                findings.Add($"{Main}: module {name} names {path}, which is not there.");
                continue;
            }

            used.Add(path);
            var parameters = Parameters(Repository.Read(path)).ToList();
            var given = Given(body);
            findings.AddRange(given.Except(parameters.Select(parameter => parameter.Name)).Select(extra => $"{Main}: module {name} has no parameter {extra}."));
            findings.AddRange(parameters.Where(parameter => parameter.IsNeeded).Select(parameter => parameter.Name).Except(given)
                .Select(missing => $"{Main}: module {name} is not given {missing}."));
        }

        findings.AddRange(Repository.Matching("infra/modules/", ".bicep").Where(path => !used.Contains(path)).Select(path => $"{path} is used by nothing."));
        Repository.AssertNone(findings);
    }

    [Fact]
    public void Outputs_ThatAreUsed_AreThere()
    {
        var modules = Modules().ToDictionary(module => module.Name, module => module.Path);
        string main = Repository.Read(Main);
        var uses = OutputUse().Matches(main).Select(match => (Module: match.Groups[1].Value, Output: match.Groups[2].Value)).ToList();
        Assert.NotEmpty(uses);
        Repository.AssertNone(
            from use in uses.Distinct()
            where !modules.TryGetValue(use.Module, out string? path) || !Repository.Read(path).Contains($"\noutput {use.Output} ", StringComparison.Ordinal)
            select $"{Main}: {use.Module} has no output {use.Output}.");
    }

    [Fact]
    public void Parameters_OfEachTemplate_AreUsed() => Repository.AssertNone(
        from path in Repository.Matching("infra/", ".bicep")
        let text = Repository.Read(path)
        from parameter in Parameters(text)
        where Regex.Count(text, $@"\b{parameter.Name}\b") < 2
        select $"{path}: the parameter {parameter.Name} is not used.");

    [Fact]
    public void ParametersFile_NamesParametersOfTheDeployment()
    {
        using var file = JsonDocument.Parse(Repository.Read("infra/main.parameters.json"));
        var known = Parameters(Repository.Read(Main)).Select(parameter => parameter.Name);
        Assert.Empty(file.RootElement.GetProperty("parameters").EnumerateObject().Select(parameter => parameter.Name).Except(known));
    }

    [Fact]
    public void Settings_ThatTheProgramReads_AreSet()
    {
        string template = Repository.Read(Functions);
        var read = Repository.Matching("src/Omium.Azure/", ".cs").Concat(Repository.Matching("src/Omium.Functions/", ".cs")).Concat(Repository.Matching("src/Omium.Runtime/Billing/", ".cs"))
            .SelectMany(path => SettingName().Matches(Repository.Read(path)).Select(match => match.Groups[1].Value))
            .Concat(BindingSetting().Matches(Repository.Read("host.json")).Select(match => match.Groups[1].Value))
            .ToHashSet();
        Assert.Superset(new HashSet<string> { "OMIUM_STORAGE_ACCOUNT", "OMIUM_BILLING", "OMIUM_BILLING_PLAN" }, read);
        // Without these no agent can ask a model; every other option of the runtime has a default that holds here.
        read.UnionWith(["OMIUM_MODEL_BASE_URL", "OMIUM_MODEL_NAME", "OMIUM_MODEL_API_KEY"]);
        var options = Options().ToHashSet();
        Assert.Superset(new HashSet<string> { "OMIUM_MODEL_BASE_URL", "OMIUM_MODEL_NAME", "OMIUM_MODEL_API_KEY", "OMIUM_WORKER_LEASE_MS", "OMIUM_SIGN_UP" }, options);
        Repository.AssertNone(read.Except(LocalSettings).Where(name => !Regex.IsMatch(template, $@"\n +{name}: "))
            .Select(name => $"{Functions} does not set {name}, which the program reads."));
        Repository.AssertNone(Regex.Matches(template, @"\n +(OMIUM_\w+): ").Select(match => match.Groups[1].Value).Where(name => !read.Contains(name) && !options.Contains(name))
            .Select(name => $"{Functions} sets {name}, which nothing reads."));
    }

    [Fact]
    public void Connections_OfTriggers_AreSetForTheIdentity()
    {
        string template = Repository.Read(Functions);
        var connections = Repository.Matching("src/Omium.Functions/", ".cs").SelectMany(path => TriggerConnection().Matches(Repository.Read(path)).Select(match => match.Groups[1].Value)).Distinct().ToList();
        Assert.NotEmpty(connections);
        Repository.AssertNone(
            from connection in connections.Append("AzureWebJobsStorage")
            from part in new[] { connection == "AzureWebJobsStorage" ? "accountName" : "fullyQualifiedNamespace", "credential", "clientId" }
            where !template.Contains($"      {connection}__{part}: ", StringComparison.Ordinal)
            select $"{Functions} does not set {connection}__{part}.");
    }

    [Fact]
    public void Outputs_OfEachModule_AreUsed()
    {
        string main = Repository.Read(Main);
        Repository.AssertNone(
            from module in Modules()
            from Match output in OutputName().Matches(Repository.Read(module.Path))
            where !Regex.IsMatch(main, $@"\b{module.Name}\.\??outputs\.{output.Groups[1].Value}\b")
            select $"{module.Path}: nothing uses the output {output.Groups[1].Value}.");
    }

    /// <summary>A secret is given to the app as a reference to the vault, and to the vault only when there is one to write.</summary>
    [Fact]
    public void Secrets_OfTheDeployment_GoIntoTheVaultAlone()
    {
        var secrets = Secret().Matches(Repository.Read(Main)).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains("masterKey", secrets);
        string vault = Repository.Read("infra/modules/keyvault.bicep");
        Repository.AssertNone(
            from secret in secrets
            from finding in new (bool Holds, string Text)[]
            {
                (Regex.Count(Repository.Read(Main), $@"\b{secret}\b") == 3, $"{Main}: {secret} goes elsewhere than to the vault."),
                (Secret().Matches(vault).Any(match => match.Groups[1].Value == secret), $"keyvault.bicep: {secret} is not marked as secure."),
                (vault.Contains($"if (!empty({secret}))", StringComparison.Ordinal), $"keyvault.bicep: an empty {secret} overwrites the one in the vault."),
                (vault.Contains($"\noutput {secret}Uri string = ", StringComparison.Ordinal), $"keyvault.bicep: no address of {secret}."),
                (Repository.Read(Functions).Contains($"'@Microsoft.KeyVault(SecretUri=${{{secret}Uri}})'", StringComparison.Ordinal), $"{Functions}: {secret} is no reference to the vault."),
            }
            where !finding.Holds
            select finding.Text);
    }

    /// <summary>Each role is needed because of a line of the program or of a template; each is assigned where that needs it.</summary>
    [Theory]
    [InlineData("storageBlobDataOwner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "onStorage", "src/Omium.Azure/Storage/AzureStore.cs", "BlobService")]
    [InlineData("storageTableDataContributor", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", "onStorage", "src/Omium.Azure/Storage/AzureStore.cs", "TableService")]
    [InlineData("storageQueueDataContributor", "974c5e8b-45b9-4653-ba55-5f855dd0fb88", "onStorage", "host.json", "\"storageProvider\"")]
    [InlineData("serviceBusDataSender", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "onBus", "src/Omium.Azure/Lifecycle/ServiceBusTarget.cs", "TokenCredential")]
    [InlineData("serviceBusDataReceiver", "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0", "onBus", "src/Omium.Functions/Triggers/StartFunction.cs", "[ServiceBusTrigger(")]
    [InlineData("keyVaultSecretsUser", "4633458b-17de-408a-b874-0445c86b69e6", "onVault", Functions, "@Microsoft.KeyVault(")]
    [InlineData("monitoringMetricsPublisher", "3913510d-42f4-4e42-8a64-420c390055eb", "onInsights", Functions, "Authorization=AAD")]
    public void Roles_ThatTheProgramNeeds_AreAssigned(string role, string id, string assignment, string path, string need)
    {
        Assert.Contains(need, Repository.Read(path), StringComparison.Ordinal);
        string text = Repository.Read("infra/modules/roles.bicep");
        Assert.Contains($"{role}: '{id}'", text, StringComparison.Ordinal);
        int at = text.IndexOf($"resource {assignment} ", StringComparison.Ordinal);
        Assert.True(at >= 0);
        int end = text.IndexOf("\nresource ", at + 1, StringComparison.Ordinal);
        Assert.Contains($"roleIds.{role}", text[at..(end < 0 ? text.Length : end)], StringComparison.Ordinal);
    }

    [Fact]
    public void Scheduler_OfDurableTasks_IsTheIdentitysToUse()
    {
        string text = Repository.Read("infra/modules/scheduler.bicep");
        Assert.Equal(2, Regex.Count(text, "0ad04412-c4d5-4796-b79c-f76d14c8d402")); // Durable Task Data Contributor
        Assert.Contains("scope: scheduler", text, StringComparison.Ordinal);
        Assert.Contains("Authentication=ManagedIdentity;ClientID=${identityClientId}", Repository.Read(Functions), StringComparison.Ordinal);
    }

    [Fact]
    public void Accounts_OfTheDeployment_TakeNoKeys()
    {
        Assert.Contains("allowSharedKeyAccess: false", Repository.Read("infra/modules/storage.bicep"), StringComparison.Ordinal);
        Assert.Contains("disableLocalAuth: true", Repository.Read("infra/modules/servicebus.bicep"), StringComparison.Ordinal);
        Assert.Contains("enableRbacAuthorization: true", Repository.Read("infra/modules/keyvault.bicep"), StringComparison.Ordinal);
        Repository.AssertNone(Repository.Matching("infra/", ".bicep").Where(path => Repository.Read(path).Contains("listKeys(", StringComparison.Ordinal))
            .Select(path => $"{path} reads a key of an account."));
    }

    /// <summary>
    /// What a killed instance had taken from the task hub's queues is hidden until these times are over, so an execution would stand still for longer than a
    /// call that nobody can answer for. The extension renews them every 30 seconds while it works, and starts with nothing below a minute.
    /// </summary>
    [Theory]
    [InlineData("controlQueueVisibilityTimeout")]
    [InlineData("workItemQueueVisibilityTimeout")]
    public void Hub_AfterAKill_GivesItsMessagesOutAgainAfterAMinute(string setting)
    {
        using var file = JsonDocument.Parse(Repository.Read("host.json"));
        var provider = file.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("storageProvider");
        Assert.True(provider.TryGetProperty(setting, out var time), $"host.json does not set {setting}: the extension then takes five minutes.");
        Assert.Equal(TimeSpan.FromMinutes(1), TimeSpan.Parse(time.GetString()!, CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Brackets_OfEachTemplate_Balance() => Repository.AssertNone(
        from path in Repository.Matching("infra/", ".bicep")
        let text = StringLiteral().Replace(Comment().Replace(Repository.Read(path), ""), "''")
        from pair in new[] { "{}", "[]", "()" }
        where text.Count(c => c == pair[0]) != text.Count(c => c == pair[1])
        select $"{path}: {pair} do not balance.");

    /// <summary>Every option that the runtime reads by a section's prefix.</summary>
    /// <summary>Settings that have a default which holds on Azure: of the runtime, and of the API.</summary>
    private static IEnumerable<string> Options() =>
        RuntimeOptions().Concat(SettingName().Matches(Repository.Read("src/Omium.Api/OmiumApiSettings.cs")).Select(match => match.Groups[1].Value));

    private static IEnumerable<string> RuntimeOptions() =>
        from path in Repository.Matching("src/Omium.Runtime/", ".cs")
        let text = Repository.Read(path)
        from Match reader in OptionPrefix().Matches(text)
        from Match option in OptionName().Matches(text)
        select $"{reader.Groups[1].Value}_{option.Groups[1].Value.ToUpperInvariant()}";

    private static IEnumerable<(string Name, string Path, string Body)> Modules()
    {
        string main = Repository.Read(Main);
        foreach (Match match in ModuleStart().Matches(main))
        {
            int end = main.IndexOf("\n}\n", match.Index, StringComparison.Ordinal);
            yield return (match.Groups[1].Value, $"infra/{match.Groups[2].Value}", main[match.Index..end]);
        }
    }

    private static IEnumerable<(string Name, bool IsNeeded)> Parameters(string text) =>
        Parameter().Matches(text).Select(match => (match.Groups[1].Value, !match.Groups[2].Value.Contains('=', StringComparison.Ordinal)));

    private static List<string> Given(string moduleBody)
    {
        string parameters = moduleBody[(moduleBody.IndexOf("params: {", StringComparison.Ordinal) + "params: {".Length)..];
        int others = parameters.IndexOf("\n  dependsOn:", StringComparison.Ordinal);
        parameters = others < 0 ? parameters : parameters[..others];
        return [.. GivenName().Matches(StringLiteral().Replace(parameters, "''")).Select(match => match.Groups[1].Value)];
    }

    [GeneratedRegex(@"(?m)^module (\w+) '([^']+)' = ")]
    private static partial Regex ModuleStart();

    [GeneratedRegex(@"(?m)^param (\w+) (.*)$")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"(?:^|[{,\n])\s*(\w+):")]
    private static partial Regex GivenName();

    [GeneratedRegex(@"\b(\w+)\.\??outputs\.(\w+)")]
    private static partial Regex OutputUse();

    [GeneratedRegex("\"(?:%)?(OMIUM_[A-Z_]+|AZURE_CLIENT_ID)(?:%)?\"")]
    private static partial Regex SettingName();

    [GeneratedRegex(@"new OptionReader\(configuration, ""\w+"", ""(OMIUM_\w+)""\)")]
    private static partial Regex OptionPrefix();

    [GeneratedRegex(@"\.(?:Text|Long|Bool|List)\(""(\w+)""")]
    private static partial Regex OptionName();

    [GeneratedRegex("Connection = \"(\\w+)\"")]
    private static partial Regex TriggerConnection();

    [GeneratedRegex(@"(?m)^output (\w+) ")]
    private static partial Regex OutputName();

    [GeneratedRegex(@"@secure\(\)\n(?:@.*\n)*param (\w+) string")]
    private static partial Regex Secret();

    [GeneratedRegex("%(\\w+)%")]
    private static partial Regex BindingSetting();

    [GeneratedRegex(@"'(?:\\.|[^'\\])*'")]
    private static partial Regex StringLiteral();

    [GeneratedRegex(@"(?m)^\s*//.*$")]
    private static partial Regex Comment();
}
