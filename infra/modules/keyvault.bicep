// Holds the master key and what else is secret. Purge protection: who deletes the vault by mistake can bring it back, and with it every stored body.
param name string
param location string
param tags object
param isPrivate bool

@secure()
param masterKey string

@secure()
param modelApiKey string

@secure()
param stripeApiKey string

@secure()
param stripeWebhookSecrets string

var masterKeyName = 'omium-master-key'
var modelApiKeyName = 'omium-model-api-key'
var stripeApiKeyName = 'omium-stripe-api-key'
var stripeWebhookSecretsName = 'omium-stripe-webhook-secrets'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

// Written only when given: a second deployment without it leaves the key that seals what is stored.
resource masterKeySecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(masterKey)) {
  parent: vault
  name: masterKeyName
  properties: { value: masterKey, contentType: 'base64, 32 bytes' }
}

resource modelApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(modelApiKey)) {
  parent: vault
  name: modelApiKeyName
  properties: { value: modelApiKey }
}

resource stripeApiKeySecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(stripeApiKey)) {
  parent: vault
  name: stripeApiKeyName
  properties: { value: stripeApiKey }
}

resource stripeWebhookSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(stripeWebhookSecrets)) {
  parent: vault
  name: stripeWebhookSecretsName
  properties: { value: stripeWebhookSecrets, contentType: 'one, or two separated by a comma' }
}

output id string = vault.id
output name string = vault.name
output masterKeyUri string = '${vault.properties.vaultUri}secrets/${masterKeyName}'
output modelApiKeyUri string = '${vault.properties.vaultUri}secrets/${modelApiKeyName}'
output stripeApiKeyUri string = '${vault.properties.vaultUri}secrets/${stripeApiKeyName}'
output stripeWebhookSecretsUri string = '${vault.properties.vaultUri}secrets/${stripeWebhookSecretsName}'
