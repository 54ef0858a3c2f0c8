using Azure.Core;
using Azure.Identity;
using Omium.Azure.Lifecycle;
using Omium.Azure.Rest;
using Omium.Runtime.Security;

namespace Omium.Azure.Hosting;

/// <summary>
/// What a host on Azure is told by its environment, and nothing else. With account and address it acts under its managed identity; the
/// connection strings are for a machine of one's own.
/// </summary>
public sealed class AzureSettings
{
    /// <summary>Name of the storage account, reached with the managed identity.</summary>
    public const string StorageAccountName = "OMIUM_STORAGE_ACCOUNT";

    /// <summary>Connection string of the storage account, where no account is named.</summary>
    public const string StorageConnection = "OMIUM_STORAGE_CONNECTION";

    /// <summary>Prefix of tables and containers; default <c>omium</c>.</summary>
    public const string StoragePrefix = "OMIUM_STORAGE_PREFIX";

    /// <summary>Address of the Service Bus namespace (https://NAME.servicebus.windows.net), reached with the managed identity.</summary>
    public const string ServiceBusAddress = "OMIUM_SERVICE_BUS_ADDRESS";

    /// <summary>Connection string of the namespace, where no address is named.</summary>
    public const string ServiceBusConnection = "OMIUM_SERVICE_BUS_CONNECTION";

    /// <summary>Topic (or queue) that lifecycle events go to; absent = none are published.</summary>
    public const string LifecycleTopic = "OMIUM_LIFECYCLE_TOPIC";

    /// <summary>32 bytes in base64 that wrap the data keys of executions; a reference to a vault.</summary>
    public const string MasterKey = "OMIUM_MASTER_KEY";

    /// <summary>Origin of the console, for requests from browsers; absent = none.</summary>
    public const string ConsoleOrigin = "OMIUM_CONSOLE_ORIGIN";

    /// <summary>Client id of a user-assigned identity; absent = the system-assigned one, or who is signed in on a machine of one's own.</summary>
    public const string IdentityClientId = "AZURE_CLIENT_ID";

    private const int MasterKeyBytes = 32;

    private AzureSettings(StorageAccount storage, ServiceBusTarget? lifecycle, IKeyWrap keys, AzureStoreOptions store, string? consoleOrigin) =>
        (Storage, Lifecycle, Keys, Store, Console) = (storage, lifecycle, keys, store, consoleOrigin);

    /// <summary>The storage account.</summary>
    public StorageAccount Storage { get; }

    /// <summary>Where lifecycle events go; null = nowhere, and nothing is marked for it.</summary>
    public ServiceBusTarget? Lifecycle { get; }

    /// <summary>Wraps data keys.</summary>
    public IKeyWrap Keys { get; }

    /// <summary>Options of the store.</summary>
    public AzureStoreOptions Store { get; }

    /// <summary>Origin of the console; null = none.</summary>
    public string? Console { get; }

    /// <summary>Reads the settings.</summary>
    /// <param name="read">A setting by its name; null or empty = absent.</param>
    /// <param name="credential">Who acts where no key is given; null = a managed identity on Azure, else who is signed in here.</param>
    /// <exception cref="FormatException">A setting is missing or cannot be read; the message names it, never its value.</exception>
    public static AzureSettings Read(Func<string, string?> read, TokenCredential? credential = null)
    {
        ArgumentNullException.ThrowIfNull(read);
        string? Find(string name) => read(name) is { Length: > 0 } value ? value : null;
        credential ??= new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = Find(IdentityClientId) });
        var storage = (Find(StorageAccountName), Find(StorageConnection)) switch
        {
            ({ } name, _) => StorageAccount.WithToken(name, credential),
            (_, { } connection) => StorageAccount.Parse(connection),
            _ => throw new FormatException($"Set {StorageAccountName} (or {StorageConnection} on a machine of your own)."),
        };
        var lifecycle = Find(LifecycleTopic) is { } topic ? Target(Find, topic, credential) : null;
        var store = new AzureStoreOptions
        {
            Prefix = Find(StoragePrefix) ?? "omium",
            OutboxEvents = lifecycle is null ? new HashSet<string>() : LifecycleMessages.Events,
        };
        return new AzureSettings(storage, lifecycle, new LocalKeyWrap(Key(Find(MasterKey))), store, Find(ConsoleOrigin));
    }

    private static ServiceBusTarget Target(Func<string, string?> find, string topic, TokenCredential credential) => (find(ServiceBusAddress), find(ServiceBusConnection)) switch
    {
        ({ } address, _) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
            ? ServiceBusTarget.WithToken(uri, topic, credential)
            : throw new FormatException($"{ServiceBusAddress} is no https address."),
        (_, { } connection) => ServiceBusTarget.Parse(connection, topic),
        _ => throw new FormatException($"{LifecycleTopic} is set: set {ServiceBusAddress}, too."),
    };

    private static byte[] Key(string? text)
    {
        if (text is null)
        {
            throw new FormatException($"Set {MasterKey}: 32 random bytes in base64, from a vault.");
        }

        if (text.StartsWith("@Microsoft.KeyVault", StringComparison.Ordinal))
        {
            // The platform leaves the reference as it is when it cannot resolve it.
            throw new FormatException($"{MasterKey} is a reference to a vault that could not be resolved: the secret is missing, or the identity lacks the role Key Vault Secrets User.");
        }

        var key = new byte[MasterKeyBytes];
        return Convert.TryFromBase64String(text, key, out var written) && written == MasterKeyBytes
            ? key
            : throw new FormatException($"{MasterKey} is not {MasterKeyBytes} bytes in base64.");
    }
}
